// What the user says to a recovery: it holds as long as the call in which it was said, and the answer says what came of it.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { TestContext } from 'node:test';
import { CELL_BYTES } from '../../src/core/limits.ts';
import type { DownloadRequest } from '../../src/ports/peer-client.ts';
import type { DaemonNode } from './daemon-node.ts';
import { complete, family, gone, isNormal, newestOf } from './family.ts';
import type { Family } from './family.ts';

const LOST_CELLS = 3;

/** The disk of the owner died, and no storer gives some cells of one file. */
async function withLostCells(context: TestContext, isTwoSilent: boolean): Promise<Family> {
  const all = await family(context);
  const { owner, two } = all;
  const { headCells, indexCells } = newestOf(owner);
  if (isTwoSilent) await two.kill();
  await owner.wipe();
  owner.changes.set('download', (stream: AsyncIterable<unknown>, [, asked]) => {
    const dataCell = (asked as DownloadRequest).offset / CELL_BYTES - headCells - indexCells;
    return dataCell >= 0 && dataCell < LOST_CELLS ? gone() : stream;
  });
  await owner.init('recover');
  return all;
}

/** The node was awake and in touch for so long. */
async function pass(node: DaemonNode, hours: number): Promise<void> {
  await node.session.registry.updateNode((old) => {
    assert(old);
    return { ...old, countedSeconds: old.countedSeconds + hours * 3600 };
  });
}

test('init complete that has to wait says for whom, and is not remembered when it was told no', async (context) => {
  const { owner, two, world } = await withLostCells(context, true);
  await world.until('waiting for two', () => /1 more/.test(owner.session.recovery.waitingFor));
  await pass(owner, 24);
  await owner.hears('recovery-stuck');
  const told = new Map([
    ['one', true],
    ['two', false],
  ]);
  const refused = await complete(owner, true);
  assert.equal(refused.mode, 'recovering');
  const { reasons, replicas } = await owner.api.status();
  const said = reasons.find(({ code }) => code === 'RECOVERING')?.message ?? '';
  assert.match(said, /^This node rebuilds its content from its peers: this node waits for .*\(two\)/);
  assert.deepEqual(new Map(replicas.map(({ name, sequence }) => [name, sequence > 0])), told);
  const blocked = { code: 'PUBLISH_BLOCKED', message: /recovering.*\(two\)/ };
  await assert.rejects(owner.api.removeFile(Buffer.from('docs'), true), blocked);
  assert.match(refused.waitingFor, /remaining peers .*\(two\).*in 48 h.*bb recover --accept-seq \d+$/);
  const mark = owner.events.length;
  await two.start();
  await two.unlock();
  await owner.hears('holder-found', { peer: two.id }, mark);
  await world.until('looked at', () => /missing cells/.test(owner.session.recovery.waitingFor));
  await owner.hears('recovery', {}, mark);
  assert.equal(owner.session.node.mode, 'recovering', 'what was refused is not done later');
});

test('what could not be brought back is named until it is set again', async (context) => {
  const { owner, world } = await withLostCells(context, false);
  await owner.hears('recovery-stuck');
  const end = await complete(owner);
  assert.deepEqual([end.mode, end.missingFiles, end.missingNames.map(String)], ['normal', 1, ['docs/a/big']]);
  const missing = async () => (await owner.api.status()).reasons.filter(({ code }) => code === 'NOT_RECOVERED');
  await owner.restart();
  assert.match((await missing())[0]?.message ?? '', /^1 file .*"docs\/a\/big"/);
  await owner.api.removeFile(Buffer.from('docs/exec'), false);
  assert.equal((await missing()).length, 1);
  await owner.setFiles({ 'a/big': 'here again' });
  assert.equal((await missing()).length, 0);
  assert.equal((await owner.api.status()).missingFiles, 0);
  await world.until('normal', () => isNormal(owner));
});

test('a loss that was accepted is told once and then over', async (context) => {
  const { owner } = await withLostCells(context, false);
  await owner.hears('recovery-stuck');
  const end = await complete(owner, true);
  assert.deepEqual([end.mode, end.missingFiles], ['normal', 1]);
  assert.equal((await owner.api.status()).missingFiles, 0);
  assert.equal((await complete(owner, true)).missingFiles, 0);
});
