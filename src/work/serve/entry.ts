// Entry of the worker that serves peers: sealing for them, leaves, challenges. It writes nothing and holds its own
// readers, so that none of this waits behind an ingest.

import { workerData } from 'node:worker_threads';
import type { ChallengeQuestion } from '../../core/challenge/question.ts';
import { HASH_BYTES, leafHash } from '../../core/content/merkle.ts';
import { packKeys } from '../../core/crypto/dir-keys.ts';
import { BbError } from '../../core/errors.ts';
import { pubkeyFromOnionId } from '../../core/ids.ts';
import type { OnionId } from '../../core/ids.ts';
import type { WorkerKeys } from '../../ports/workers.ts';
import { CatalogReader } from '../../storage/catalog/catalog-reader.ts';
import { openPackReader } from '../../storage/packs/pack-cell-store.ts';
import type { CellReader, PackCellReader } from '../../storage/packs/pack-cell-reader.ts';
import type { CallContext } from '../calls.ts';
import { serveCalls } from '../serve-calls.ts';
import { expectedMac, proveMac } from './answers.ts';
import { OwnBlob } from './own-blob.ts';
import { damagedHeld, damagedOfBlob, damagedOwn, scrubOwn, suspectPacks } from './scrub.ts';

export type ServeCalls = typeof calls;

type Opened = {
  readonly keys: WorkerKeys;
  readonly catalog: CatalogReader;
  readonly own: CellReader;
  readonly peers: PackCellReader;
};

const { dataDir } = workerData as { readonly dataDir: string };
let opened: Opened | undefined;

const calls = {
  async unlock(_: CallContext, keys: WorkerKeys): Promise<void> {
    await close();
    const wrap = packKeys(keys.wrapKey);
    opened = {
      keys,
      catalog: new CatalogReader(dataDir, keys.rowKey),
      own: openPackReader({ dir: `${dataDir}/own`, kind: 'own', keys: wrap }),
      peers: openPackReader({ dir: `${dataDir}/peers`, kind: 'peers', keys: wrap }),
    };
  },

  async lock(): Promise<void> {
    await close();
  },

  /** Packed leaves; INTEGRITY when one of our own cells is damaged. */
  async sealLeaves(context: CallContext, peer: OnionId, contentId: Buffer, cells: readonly number[]): Promise<Buffer> {
    const peerKey = pubkeyFromOnionId(peer);
    const blob = blobOf(contentId);
    const leaves = Buffer.alloc(cells.length * HASH_BYTES);
    for (const [index, cell] of cells.entries()) {
      context.signal.throwIfAborted();
      const own = await blob.open(cell);
      if (own === undefined) throw new BbError('INTEGRITY', `cell ${cell} of our own content is damaged`);
      leafHash(blob.sealed(own, peerKey)).copy(leaves, index * HASH_BYTES);
    }
    return leaves;
  },

  async sealCell(_: CallContext, peer: OnionId, contentId: Buffer, cell: number): Promise<Buffer | undefined> {
    const blob = blobOf(contentId);
    const own = await blob.open(cell);
    return own === undefined ? undefined : blob.sealed(own, pubkeyFromOnionId(peer));
  },

  expectedMac(
    _: CallContext,
    question: ChallengeQuestion,
    responder: OnionId,
    blobCells: number,
  ): Promise<{ readonly mac: Buffer; readonly damaged: readonly number[] }> {
    const parties = { challenger: unlocked().keys.pubkey, responder: pubkeyFromOnionId(responder) };
    return expectedMac(blobOf(question.contentId), question, parties, blobCells);
  },

  proveMac(
    _: CallContext,
    question: ChallengeQuestion,
    challenger: OnionId,
    list: number,
    blobCells: number,
  ): ReturnType<typeof proveMac> {
    const { keys, catalog, peers } = unlocked();
    const parties = { challenger: pubkeyFromOnionId(challenger), responder: keys.pubkey };
    return proveMac({ catalog, store: peers, list }, question, parties, blobCells);
  },

  async damagedOfBlob(_: CallContext, contentId: Buffer, cells: readonly number[]): Promise<readonly number[]> {
    return damagedOfBlob(blobOf(contentId), cells);
  },

  async damagedOwn(_: CallContext, cellIds: Buffer, packs: readonly number[]): Promise<Buffer> {
    return damagedOwn(unlocked(), cellIds, packs);
  },

  async scrubOwn(_: CallContext, after: number, limit: number): ReturnType<typeof scrubOwn> {
    return scrubOwn(unlocked(), after, limit);
  },

  async damagedHeld(_: CallContext, list: number, cells: readonly number[]): Promise<readonly number[]> {
    const { catalog, peers } = unlocked();
    return damagedHeld({ catalog, store: peers, list }, cells);
  },

  async forgetPacks(_: CallContext, packs: readonly number[]): Promise<void> {
    for (const pack of packs) await unlocked().peers.drop(pack);
  },

  async suspectPacks(): ReturnType<typeof suspectPacks> {
    return suspectPacks(unlocked());
  },
};

serveCalls(calls);

function unlocked(): Opened {
  if (opened === undefined) throw new BbError('LOCKED', 'the serving worker has no keys');
  return opened;
}

function blobOf(contentId: Buffer): OwnBlob {
  const { keys, catalog, own } = unlocked();
  return new OwnBlob(keys, catalog, own, contentId);
}

async function close(): Promise<void> {
  const { keys, catalog, own, peers } = opened ?? {};
  opened = undefined;
  await own?.close();
  await peers?.close();
  catalog?.close();
  for (const key of Object.values(keys ?? {})) key.fill(0);
}
