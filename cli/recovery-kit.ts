// The 24 words outside of memory: a new file that only its owner can read, or a grid on the terminal and a quiz of two.
// Invariant: the file exists before the identity does, so that a full disk cannot leave an identity without its words.

import { randomInt } from 'node:crypto';
import { open, rm } from 'node:fs/promises';
import { resolve } from 'node:path';
import { BbError } from '../src/core/errors.ts';
import { askSecret } from './ask-secret.ts';
import { cliError } from './errors.ts';

const OWNER_ONLY = 0o600;
const COLUMNS = 4;
const WORD_WIDTH = 12;

export type KitFile = {
  readonly path: string;
  /** Writes the words as one line, which `--password-file` takes back, and forces them to disk. */
  write(words: readonly string[]): Promise<void>;
  /** Removes the file when there is no identity for it. */
  abandon(): Promise<void>;
};

/** EXISTS when there is a file of this name already. */
export async function reserveKitFile(name: string): Promise<KitFile> {
  const path = resolve(name);
  const file = await open(path, 'wx', OWNER_ONLY).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'EEXIST') {
      throw new BbError('EXISTS', `${path} exists already`, { hint: 'Name a new file; a kit is never overwritten.' });
    }
    throw cliError(error);
  });
  let written = false;
  return {
    path,
    async write(words) {
      await file.writeFile(`${words.join(' ')}\n`);
      await file.sync();
      await file.close();
      written = true;
    },
    async abandon() {
      if (written) return;
      await file.close().catch(() => undefined);
      await rm(path, { force: true });
    },
  };
}

/** The numbered words in columns. */
export function wordGrid(words: readonly string[]): string {
  const cells = words.map((word, at) => `${String(at + 1).padStart(4)} ${word}`.padEnd(WORD_WIDTH + COLUMNS));
  const rows = Math.ceil(cells.length / COLUMNS);
  return Array.from({ length: rows }, (_, row) =>
    Array.from({ length: COLUMNS }, (_cell, column) => cells[row + column * rows] ?? '')
      .join('')
      .trimEnd(),
  ).join('\n');
}

/** Asks for two random words until they are right; the identity exists already, so leaving is no loss of data. */
export async function quizWords(words: readonly string[]): Promise<void> {
  const first = randomInt(words.length);
  const second = (first + 1 + randomInt(words.length - 1)) % words.length;
  for (const at of [first, second].sort((a, b) => a - b)) {
    let question = `Type word ${at + 1}`;
    while ((await askSecret(question)).toString('utf8').trim().toLowerCase() !== words[at])
      question = `Not right. Type word ${at + 1}`;
  }
}
