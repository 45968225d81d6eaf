// The blob of an owner as a stopped storer keeps it: what the storer would hand over, read from its disk with its own words.

import assert from 'node:assert/strict';
import { join } from 'node:path';
import { packKeys } from '../../../src/core/crypto/dir-keys.ts';
import { Keyring } from '../../../src/core/crypto/keyring.ts';
import type { OnionId } from '../../../src/core/ids.ts';
import { DiskDataDir } from '../../../src/storage/data-dir.ts';
import { PackCellStore } from '../../../src/storage/packs/pack-cell-store.ts';
import { startCatalog } from '../../../src/work/catalog/catalog-proxy.ts';
import { deriveMaster } from '../../../src/work/derive/derive-master.ts';
import { systemRandom } from '../../../src/app/system-random.ts';
import type { TestNode } from './node.ts';

export async function heldBlob(storer: TestNode, owner: TestNode): Promise<Buffer> {
  const keyring = new Keyring(await deriveMaster(Buffer.from(storer.words), 'phrase', ''));
  const header = await new DiskDataDir(storer.dataDir).readHeader();
  assert.ok(header !== undefined);
  const wrapKey = keyring.unwrapDirKey('wrap', header.wrappedWrapKey);
  const rowKey = keyring.unwrapDirKey('row', header.wrappedRowKey);
  assert.ok(wrapKey !== undefined && rowKey !== undefined);
  const catalog = startCatalog(storer.dataDir, assert.fail);
  await catalog.open();
  await catalog.unlock(rowKey);
  const cells = new PackCellStore(
    { dir: join(storer.dataDir, 'peers'), kind: 'peers', keys: packKeys(wrapKey) },
    systemRandom,
  );
  try {
    await cells.open(await catalog.marks('peers'));
    const held = (await catalog.records())
      .filter((record) => record.kind === 'held')
      .map(({ value }) => value)
      .find(({ owner: id, role }) => id === (owner.onionId as OnionId) && role === 'current');
    assert.ok(held !== undefined, 'the storer holds nothing of the owner');
    const positions = await catalog.heldPositions(held.list, 0, held.cells);
    const blob: Buffer[] = [];
    for (const position of positions) {
      assert.ok(position !== undefined, 'a cell is missing');
      blob.push(await cells.read(position));
    }
    return Buffer.concat(blob);
  } finally {
    await cells.close();
    await catalog.close();
    keyring.wipe();
  }
}
