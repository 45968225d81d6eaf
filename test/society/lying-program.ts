// A copy of the installed package whose daemon lies: it never says that cells of others are damaged or gone, and answers
// challenges about them all the same. The true program finds them itself, confesses and fetches them again.
// Invariant: words that are not found exactly once end the test, so that no lie becomes the truth unnoticed.

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';

const SERVE = 'node_modules/barterbackup/dist/src/work/serve';
const LIES = [
  { file: 'answers.js', find: 'if (bytes === undefined)\n            damaged.add(read.cell);', put: '' },
  { file: 'scrub.js', find: 'damagedHeld(held, cells) {', put: 'damagedHeld(held, cells) {\n    return [];' },
  { file: 'scrub.js', find: "peers: await suspects(peers, catalog.marks('peers'))", put: 'peers: []' },
] as const;

/** Makes it in a folder below `root`; returns the path of its `bb`, which starts the daemon beside it. */
export function lyingProgram(bb: string, root: string): string {
  const copy = join(root, 'liar');
  const installed = resolve(bb, '../../..');
  assert.equal(spawnSync('cp', ['-a', installed, copy]).status, 0);
  for (const { file, find, put } of LIES) {
    const path = join(copy, SERVE, file);
    const parts = readFileSync(path, 'utf8').split(find);
    assert.equal(parts.length, 2, `${file} has ${parts.length - 1} times: ${find}`);
    writeFileSync(path, parts.join(put));
  }
  return join(copy, 'node_modules/.bin/bb');
}
