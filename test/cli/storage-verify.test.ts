// bb storage verify against a scripted daemon: what it says of each result, how it leaves, the same as JSON, and that a
// reading outlives whoever asked for it.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { test } from 'node:test';
import type { LocalApi, ProgressView, VerifiedView } from '../../src/daemon/local-api.ts';
import { PEER_VIEW } from '../contract/rpc-local-fixture.ts';
import { rigWith } from './rig.ts';
import { runRows } from './rows.ts';

const ANNA = { peer: PEER_VIEW.onionId, name: 'anna', cells: 1, damaged: 0 };
const GOOD: VerifiedView = {
  ownCells: 7,
  ownDamaged: 0,
  ownLost: 0,
  isIndexLost: false,
  damagedFiles: 0,
  damagedNames: [],
  peers: [ANNA],
};
const PROGRESS: ProgressView = {
  ...{ job: 'verify-1', phase: 'verify', done: 131_072, total: 1_048_576 },
  ...{ bytesPerSec: 0, etaSec: 0 },
};

const saying = (result: Partial<VerifiedView>): Partial<LocalApi> => ({
  async *verifyStorage() {
    yield { kind: 'progress', progress: PROGRESS };
    yield { kind: 'result', result: { ...GOOD, ...result } };
  },
});

runRows([
  {
    bb: ['storage', 'verify'],
    daemon: saying({}),
    exit: 0,
    stdout: 'own content: 7 cells read, all good\nanna: 1 cell read, all good\n',
    stderr: /^\* verify 128 KiB of 1\.0 MiB/,
  },
  {
    bb: ['storage', 'verify'],
    daemon: saying({ ownDamaged: 2 }),
    exit: 0,
    stdout: /^own content: 7 cells read, 2 damaged, all good again\n/,
  },
  {
    bb: ['storage', 'verify'],
    daemon: saying({ ownDamaged: 3, ownLost: 2, damagedFiles: 2, damagedNames: [Buffer.from('a\tb')] }),
    exit: 4,
    stdout: /3 damaged, 2 given back by no peer in reach\n {2}2 files need them: a\\x09b, 1 more\n/,
    stderr: /error: 2 cells are not good yet\nhint: /,
  },
  {
    bb: ['storage', 'verify'],
    daemon: saying({ ownDamaged: 1, ownLost: 1, isIndexLost: true }),
    exit: 4,
    stdout: /the index is among them, so the files that need them cannot be named/,
  },
  {
    bb: ['storage', 'verify'],
    daemon: saying({ peers: [{ ...ANNA, damaged: 1 }] }),
    exit: 4,
    stdout: /\nanna: 1 cell read, 1 damaged; the owner is told, and they come again\n$/,
    stderr: /error: one cell is not good yet/,
  },
]);

test('as JSON: progress lines, then one result, with the files and peers by name', async () => {
  const damaged = { ownDamaged: 1, ownLost: 1, damagedFiles: 1, damagedNames: [Buffer.from('docs/a')] };
  await using rig = await rigWith(saying(damaged));
  const { exit, body, lines } = await rig.json(['storage', 'verify']);
  assert.deepEqual([exit, body.ok, body.error?.code, lines.length], [4, false, 'FINDINGS', 2]);
  assert.deepEqual((lines[0] as { t: string }).t, 'progress');
  assert.deepEqual(body.data, {
    own: { cells: 7, damaged: 1, lost: 1, index_lost: false, damaged_files: 1, files: [{ path: 'docs/a' }] },
    held: [{ peer: ANNA.peer, name: 'anna', cells: 1, damaged: 0 }],
  });
});

test('Ctrl-C leaves the reading to the daemon', async () => {
  let left = false;
  await using rig = await rigWith({
    async *verifyStorage(signal) {
      yield { kind: 'progress', progress: PROGRESS };
      if (!signal.aborted) await once(signal, 'abort');
      left = true;
    },
  });
  let asked = false;
  const ran = await rig.bb(['storage', 'verify'], {
    onOutput: (_said, kill) => {
      if (!asked) kill('SIGINT');
      asked = true;
    },
  });
  assert.equal(ran.exit, 130);
  await rig.stop();
  assert.ok(left);
});
