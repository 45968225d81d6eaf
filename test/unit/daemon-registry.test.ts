// The registry shows only what the catalog has, and loses no update.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { onionIdFromPubkey } from '../../src/core/ids.ts';
import type { CatalogRecord, PeerRecord, RecordId } from '../../src/core/records.ts';
import { Registry } from '../../src/daemon/registry.ts';
import type { Catalog } from '../../src/ports/catalog.ts';

function fakeCatalog() {
  const rows = new Map<RecordId, CatalogRecord>();
  const state = { rows, fail: false };
  const catalog = {
    records: async () => [...rows.values()],
    putRecords: async (puts: readonly CatalogRecord[], deletes: readonly RecordId[] = []) => {
      await Promise.resolve();
      if (state.fail) throw new Error('disk full');
      for (const record of puts) rows.set(record.id, record);
      for (const id of deletes) rows.delete(id);
    },
  } as Partial<Catalog> as Catalog;
  return { state, catalog };
}

let counter = 0;
const random = {
  bytes: (count: number) => Buffer.alloc(count, (counter += 1)),
  fraction: () => 0,
};
const PEER = onionIdFromPubkey(Buffer.alloc(32, 7));
const record = (name: string): PeerRecord => ({
  onionId: PEER,
  name,
  added: true,
  addedMs: 0,
  introducer: undefined,
  pinned: false,
  aeadKey: Buffer.alloc(0),
  lastReachedMs: 0,
  dialledBack: false,
  blocked: false,
  unlisted: true,
  limitBytes: 7,
});

test('updates that cross are applied one after the other', async () => {
  const { catalog } = fakeCatalog();
  const registry = new Registry(catalog, random);
  await Promise.all(
    ['a', 'b', 'c'].map((letter) => registry.updatePeer(PEER, (old) => record((old?.name ?? '') + letter))),
  );
  assert.equal(registry.peer(PEER)?.name, 'abc');
});

test('memory shows nothing that did not become durable', async () => {
  const { state, catalog } = fakeCatalog();
  const registry = new Registry(catalog, random);
  await registry.updatePeer(PEER, () => record('kept'));
  state.fail = true;
  await assert.rejects(registry.updatePeer(PEER, () => record('lost')));
  assert.equal(registry.peer(PEER)?.name, 'kept');
  state.fail = false;
  await registry.updatePeer(PEER, (old) => record(`${old?.name} again`));
  assert.equal(registry.peer(PEER)?.name, 'kept again');
});

test('what was written is there after a load, under the same row', async () => {
  const { state, catalog } = fakeCatalog();
  await new Registry(catalog, random).updatePeer(PEER, () => record('first'));
  const again = new Registry(catalog, random);
  await again.load();
  assert.equal(again.peer(PEER)?.name, 'first');
  await again.updatePeer(PEER, () => record('second'));
  assert.equal(state.rows.size, 1);
});
