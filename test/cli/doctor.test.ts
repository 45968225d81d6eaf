// bb doctor against a scripted daemon: what it says of each state, how it leaves, and the same as JSON.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { BbError } from '../../src/core/errors.ts';
import type { DoctorArgs, DoctorUpdate, Finding, LocalApi } from '../../src/daemon/local-api.ts';
import { LOCKED, rigWith } from './rig.ts';

const GOOD: Finding = { check: 'header', state: 'ok', message: 'all three copies are good', hint: '' };
const LOST: Finding = {
  check: 'catalog',
  state: 'damaged',
  message: 'the catalog (state.db) is lost',
  hint: 'bb doctor --fix',
};
const FIXED: Finding = { check: 'catalog', state: 'fixed', message: 'it was put back', hint: 'bb unlock' };
const OLD: Finding = { check: 'copy', state: 'warning', message: 'the copy is old', hint: '' };
const READING: DoctorUpdate = {
  kind: 'progress',
  progress: { job: 'doctor-1', phase: 'verify', done: 131_072, total: 262_144, bytesPerSec: 0, etaSec: 0 },
};

function saying(asked: DoctorArgs[], ...updates: readonly (Finding | DoctorUpdate)[]): Partial<LocalApi> {
  return {
    ...LOCKED,
    async *doctor(args) {
      asked.push(args);
      for (const update of updates) yield 'kind' in update ? update : { kind: 'finding', finding: update };
    },
  };
}

test('all in order is exit 0, fixed counts as in order, and the next step is shown', async () => {
  const asked: DoctorArgs[] = [];
  await using rig = await rigWith(saying(asked, FIXED, GOOD));
  const ran = await rig.bb(['doctor', '--fix', '--read-data']);
  assert.deepEqual(asked, [{ fix: true, readData: true }]);
  assert.equal(
    ran.stdout,
    'fixed      catalog      it was put back\n  next: bb unlock\nok         header       all three copies are good\n',
  );
  assert.equal(ran.exit, 0);
});

test('a finding is exit 4, with all of them told', async () => {
  await using rig = await rigWith(saying([], LOST, GOOD, OLD));
  const ran = await rig.bb(['doctor']);
  assert.equal(ran.exit, 4);
  assert.equal(
    ran.stdout,
    'damaged    catalog      the catalog (state.db) is lost\n  next: bb doctor --fix\n' +
      'ok         header       all three copies are good\nwarning    copy         the copy is old\n',
  );
  assert.match(ran.stderr, /^error: 2 things are not in order: catalog, copy\nhint: /);
});

test('as JSON each finding is a line, and the last one has them all', async () => {
  await using rig = await rigWith(saying([], LOST, READING, GOOD));
  const { exit, body, lines } = await rig.json(['doctor', '--read-data']);
  const lost = { check: 'catalog', state: 'damaged', message: LOST.message, hint: 'bb doctor --fix' };
  const good = { check: 'header', state: 'ok', message: GOOD.message, hint: null };
  assert.deepEqual(lines.slice(0, 3), [
    { t: 'finding', data: lost },
    { t: 'progress', job: 'doctor-1', phase: 'verify', done: 131_072, total: 262_144, bytesPerSec: 0, etaSec: 0 },
    { t: 'finding', data: good },
  ]);
  assert.deepEqual([exit, body.ok, body.error?.code], [4, false, 'FINDINGS']);
  assert.deepEqual(body.data, { findings: [lost, good] });
});

test('a damaged node says so at every turn, with what to do', async () => {
  const damaged = (): never => {
    throw new BbError('INTEGRITY', 'the catalog (state.db) is lost');
  };
  await using rig = await rigWith({ ...LOCKED, status: damaged, unlock: damaged });
  const words = { input: 'some words\n' };
  for (const args of [['status'], [], ['unlock', '--password-stdin']]) {
    const ran = await rig.bb(args, words);
    assert.equal(ran.exit, 17, args.join(' '));
    assert.match(ran.stderr, /error: the catalog \(state\.db\) is lost\nhint: Run bb doctor --fix/);
  }
});
