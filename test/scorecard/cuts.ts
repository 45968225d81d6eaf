// A cut after every step of setfile, publish (with the pull at the storer), recover and the rewriting of packs, as a kill and
// as power losses by seeds, and every failing call while files are set and while a storer pulls. Two processes share the
// work.

import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { Operation } from '../faults/cut-recordings.ts';
import type { ShareResult } from '../faults/cut-tape.ts';
import type { Failure } from '../faults/failing-calls.ts';
import type { Part, PartOptions } from './part.ts';

const SCRIPT = new URL('../faults/cut-tape.ts', import.meta.url).pathname;
const PROCESSES = 2;
/** Power losses at each boundary. */
const SEEDS = { setfile: 6, publish: 1, recover: 1, rewrite: 1 } as const satisfies Record<Operation, number>;
const FAILING = { setfile: 'owner/', publish: 'storer/' } as const;
const OUTPUT_BYTES = 64 * 1024 ** 2;

type Tally = { good: number; all: number; lost: number };

async function run(...args: readonly (string | number)[]): Promise<string> {
  const options = { maxBuffer: OUTPUT_BYTES };
  return (await promisify(execFile)(process.execPath, [SCRIPT, ...args.map(String)], options)).stdout;
}

export const cuts: Part = {
  name: 'cuts',
  async measure(options) {
    const dir = mkdtempSync(join(tmpdir(), 'bb-cuts-'));
    const tally: Tally = { good: 0, all: 0, lost: 0 };
    const fileOf = (operation: Operation) => join(dir, `${operation}.tape`);
    for (const operation of ['setfile', 'publish', 'recover', 'rewrite'] as const) {
      await run('record', operation, fileOf(operation));
      await cutAll(operation, fileOf(operation), options, tally);
    }
    await Promise.all(
      (['setfile', 'publish'] as const).map((operation) => failAll(operation, fileOf(operation), options, tally)),
    );
    if (tally.good === tally.all) rmSync(dir, { recursive: true });
    return { cuts: { good: tally.good, all: tally.all }, lost: tally.lost };
  },
};

async function cutAll(operation: Operation, file: string, { seed, say }: PartOptions, tally: Tally): Promise<void> {
  const parts = Array.from({ length: PROCESSES }, (_, part) =>
    run('share', file, part, PROCESSES, seed, SEEDS[operation]),
  );
  const results = (await Promise.all(parts)).map((text) => JSON.parse(text) as ShareResult);
  const failed = results.flatMap((result) => result.failed);
  const count = results.reduce((sum, result) => sum + result.cuts, 0);
  add(tally, count, failed);
  say(`${operation}: ${count - failed.length} of ${count} cuts survived`);
  for (const { name, faults, cut } of failed) {
    say([name, ...faults].join('\n  '));
    say(`again: node test/faults/cut-tape.ts replay ${file} ${cut.at} ${cut.variant} ${cut.seed}`);
  }
}

async function failAll(
  operation: keyof typeof FAILING,
  file: string,
  { say }: PartOptions,
  tally: Tally,
): Promise<void> {
  const failures = JSON.parse(await run('fail', file, FAILING[operation])) as readonly Failure[];
  const failed = failures.filter(({ faults }) => faults.length > 0);
  add(tally, failures.length, failed);
  say(`${operation}: ${failures.length - failed.length} of ${failures.length} failing calls survived`);
  for (const { name, faults } of failed) say([name, ...faults].join('\n  '));
}

function add(tally: Tally, count: number, failed: readonly { readonly faults: readonly string[] }[]): void {
  tally.all += count;
  tally.good += count - failed.length;
  tally.lost += failed.filter(({ faults }) => faults.some((fault) => fault.startsWith('lost:'))).length;
}
