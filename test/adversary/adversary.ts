// A scripted peer against whole daemons, and what must come of it. Every attack is played twice: against the program as it
// is, and in a process of its own in which its one defence is patched away, where it must succeed: else the first play
// would show nothing. The play is the same both times, and both endings are fixed in the table.

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import type { TestContext } from 'node:test';
import { promisify } from 'node:util';

/** In `src/<file>` the words `find`, which occur once, become `put`. */
export type Patch = { readonly file: string; readonly find: string; readonly put: string };

/** What can be seen when the play is over. */
export type Ending = Readonly<Record<string, string | number | boolean>>;

export type Adversary = {
  /** As in the catalogue of docs/testing.md. */
  readonly number: number;
  readonly name: string;
  readonly does: string;
  readonly play: (context: TestContext) => Promise<Ending>;
  /** State, score, bounds and content, fixed in advance. */
  readonly expected: Ending;
  /** The defence as one sentence, how it is taken away, and how the attack then ends. */
  readonly defence: string;
  readonly without: readonly Patch[];
  readonly succeeds: Ending;
};

const PLAY_MS = 120_000;
const folder = import.meta.dirname;

/** A test for each row of a table: the play with its defence. `make adversary` plays it without, too. */
export function playAll(peers: readonly Adversary[]): void {
  for (const peer of peers) {
    test(`${peer.number} ${peer.name}`, async () => {
      assert.deepEqual(await playHere(peer), peer.expected, peer.does);
      assert.deepEqual(misplaced(peer.without), [], `where the defence is: ${peer.defence}`);
    });
  }
}

/** Patches whose words do not occur exactly once. */
function misplaced(patches: readonly Patch[]): Patch[] {
  return patches.filter(({ file, find }) => {
    const source = readFileSync(`${folder}/../../src/${file}`, 'utf8');
    return source.split(find).length !== 2;
  });
}

/** Plays a row against the program as this process has loaded it. */
export async function playHere({ play }: Adversary): Promise<Ending> {
  const ends: (() => unknown)[] = [];
  // Worlds register their end; nothing else of a test is needed.
  const context = { after: (end: () => unknown) => void ends.push(end) } as unknown as TestContext;
  try {
    return await play(context);
  } finally {
    for (const end of ends) await end();
  }
}

/** Plays it again in a process of its own, without the defence. */
export async function playWithout(table: string, { number, without }: Adversary): Promise<unknown> {
  const args = ['--import', `${folder}/without.ts`, `${folder}/play.ts`, table, String(number)];
  const env = { ...process.env, BB_WITHOUT: JSON.stringify(without) };
  const { stdout } = await promisify(execFile)(process.execPath, args, { env, timeout: PLAY_MS });
  return JSON.parse(stdout.trimEnd().split('\n').at(-1) ?? '');
}
