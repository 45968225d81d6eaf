// The catalog as the daemon sees it: every call runs on the catalog's thread, in the order of the calls.

import type { Catalog } from '../../ports/catalog.ts';
import { entryUrl, WorkerThread } from '../worker-thread.ts';
import type { CatalogCalls } from './entry.ts';

const HEAP_MIB = 256;

/** Exhaustive: a method that the port gains and this table lacks does not compile. */
const METHODS: Readonly<Record<keyof Catalog, true>> = {
  open: true,
  unlock: true,
  lock: true,
  close: true,
  records: true,
  putRecords: true,
  marks: true,
  newestRevision: true,
  revision: true,
  commitRevision: true,
  moveOwn: true,
  placeChunks: true,
  dropRevision: true,
  cellIds: true,
  cellPositions: true,
  commonRuns: true,
  peerLeaves: true,
  unknownLeaves: true,
  putLeaves: true,
  createHeldList: true,
  heldLeaves: true,
  heldMissing: true,
  addHeldCells: true,
  heldPositions: true,
  dropHeldList: true,
  heldPackUse: true,
  heldInPack: true,
  moveHeld: true,
  dropHeldPacks: true,
  heldDistinctCells: true,
  inventory: true,
  backup: true,
  inspect: true,
  verify: true,
  rebuild: true,
  rebuiltFrom: true,
  markRebuilt: true,
  adoptHeldCells: true,
  endRebuild: true,
};

/** `onCrash`: the thread died; every later call fails with INTERNAL. close() ends the thread. */
export function startCatalog(dataDir: string, onCrash: (error: Error) => void): Catalog {
  const thread = new WorkerThread<CatalogCalls>(entryUrl('./catalog/entry'), {
    name: 'catalog',
    data: { dataDir },
    heapMib: HEAP_MIB,
    onCrash,
  });
  const invoke = (method: keyof Catalog, args: readonly unknown[]) => thread.call('invoke', method, args);
  const proxy = Object.fromEntries(
    (Object.keys(METHODS) as (keyof Catalog)[]).map((method) => [
      method,
      (...args: readonly unknown[]) => invoke(method, args),
    ]),
  );
  proxy['close'] = async () => {
    await invoke('close', []);
    await thread.close();
  };
  return proxy as unknown as Catalog;
}
