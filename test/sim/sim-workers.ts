// The worker threads of a simulated node, without threads: content as lists of cells, keys without Argon2id, real heads,
// real index cells and real leaves, a mac over leaves instead of blocks.
// Invariant: an answer is right exactly when every cell that the question covers is whole.

import { hkdfSync } from 'node:crypto';
import { coveredCells } from './covered-cells.ts';
import type { Sampling } from './covered-cells.ts';
import { challengePreamble } from '../../src/core/challenge/preamble.ts';
import type { ChallengeQuestion } from '../../src/core/challenge/question.ts';
import { blocksRead } from '../../src/core/challenge/reads.ts';
import { leafHash } from '../../src/core/content/merkle.ts';
import type { Entry } from '../../src/core/content/entry.ts';
import type { CellKind } from '../../src/core/crypto/cell-seal.ts';
import { Keyring } from '../../src/core/crypto/keyring.ts';
import { sha256 } from '../../src/core/crypto/hash.ts';
import { BbError, invariant } from '../../src/core/errors.ts';
import { pubkeyFromOnionId } from '../../src/core/ids.ts';
import type { OnionId } from '../../src/core/ids.ts';
import { CELL_BYTES } from '../../src/core/limits.ts';
import type { RevisionRow, StagedContent } from '../../src/ports/catalog.ts';
import type { CellPosition, PackMark } from '../../src/ports/cell-store.ts';
import type {
  CellFromPeer,
  DamagedFiles,
  IngestedContent,
  IngestJob,
  ReadItem,
  RecoverySession,
  WeakestFiles,
  WorkerKeys,
  Workers,
} from '../../src/ports/workers.ts';
import type { CellBank, Recipe } from './cell-bank.ts';
import { dataCellIds, dataLeaf, entryOf, openOwnCell, sealData, sealIndex } from './content.ts';
import type { SimFile } from './content.ts';
import { cellName } from './memory-catalog.ts';
import { OwnStore } from './own-store.ts';
import { bytesOfKey, keyOf } from './sim-disk.ts';
import type { Key, SimDisk, StoredRevision } from './sim-disk.ts';
import { SimRecovery } from './sim-recovery.ts';

/** Whose machine it is. */
export type MachineOwner = {
  /** The files that are on it now. */
  readonly files: readonly SimFile[];
  /** The program was changed so that it does not see what it threw away. */
  readonly hidesDamage: boolean;
  /** Leaves of cells that it has no more, which only its answers to checks show. */
  readonly thrownAway: ReadonlySet<Key>;
  /** The same at both sides of a check. */
  readonly sampling: Sampling;
};

export class SimWorkers implements Workers {
  readonly #disk: SimDisk;
  readonly #bank: CellBank;
  readonly #owner: MachineOwner;
  readonly #store: OwnStore;
  readonly #metDamage = new Set<Key>();
  #lost: ReadonlySet<Key> = new Set();
  #keys: WorkerKeys | undefined;
  #keyring: Keyring | undefined;

  constructor(disk: SimDisk, bank: CellBank, owner: MachineOwner) {
    this.#disk = disk;
    this.#bank = bank;
    this.#owner = owner;
    this.#store = new OwnStore(disk);
  }

  async deriveMaster(secret: Buffer): Promise<Buffer> {
    const master = Buffer.from(hkdfSync('sha512', secret, '', 'simulated', 64));
    this.#keyring = new Keyring(Buffer.from(master));
    return master;
  }

  async unlock(keys: WorkerKeys): Promise<void> {
    this.#keys = keys;
    this.#store.cutToMark();
  }

  async lock(): Promise<void> {
    this.#keys = undefined;
  }

  async close(): Promise<void> {}

  async ingest(job: IngestJob, base: RevisionRow | undefined): Promise<IngestedContent> {
    const before = base === undefined ? [] : this.#store.files(base);
    const { change } = job;
    if (change.kind === 'stream') throw new BbError('UNIMPLEMENTED', 'simulated users set folders');
    const name = change.kind === 'remove' ? change.name.toString() : '';
    const files =
      change.kind === 'path' ? this.#owner.files : before.filter((file) => name !== '' && file.name !== name);
    return { ...this.#store.stage(this.#needKeys(), files, before), skippedNames: [] };
  }

  async appendHeads(
    contentId: Buffer,
    heads: readonly [Buffer, Buffer],
  ): Promise<{ readonly positions: readonly CellPosition[]; readonly marks: readonly PackMark[] }> {
    const bytes = Buffer.concat(heads);
    const positions = Array.from({ length: bytes.length / CELL_BYTES }, (_, at) => {
      const cell = bytes.subarray(at * CELL_BYTES, (at + 1) * CELL_BYTES);
      const headLeaf = leafHash(cell);
      this.#bank.see(headLeaf, cell);
      return this.#store.append({ cell: keyOf(contentId), payload: undefined, headLeaf, isDamaged: false });
    });
    return { positions, marks: this.#store.marks() };
  }

  async ownMarks(): Promise<readonly PackMark[]> {
    return this.#store.marks();
  }

  async discard(staged: StagedContent): Promise<void> {
    this.#disk.staging.delete(staged.stagingId);
  }

  async dropRecoveries(): Promise<void> {
    this.#disk.recovered.clear();
  }

  async *list(revision: RevisionRow, name: Buffer): AsyncGenerator<readonly Entry[]> {
    const wanted = name.toString();
    const files = this.#store.files(revision).filter((file) => wanted === '' || file.name === wanted);
    yield files.map(entryOf);
  }

  async *read(revision: RevisionRow, name: Buffer): AsyncGenerator<ReadItem> {
    for await (const entries of this.list(revision, name)) for (const entry of entries) yield { kind: 'entry', entry };
  }

  async sealLeaves(peer: OnionId, contentId: Buffer, cells: readonly number[]): Promise<Buffer> {
    const stored = this.#needRevision(contentId);
    const peerKey = pubkeyFromOnionId(peer);
    return Buffer.concat(
      cells.map((cell) => {
        const recipe = this.#recipe(stored, peerKey, cell);
        if (recipe === undefined) throw new BbError('INTEGRITY', 'an own cell is damaged');
        const name = cellName(stored, cell);
        const headLeaf =
          name.kind === 'head' ? this.#disk.own.get(stored.heads[name.at]?.slot ?? -1)?.headLeaf : undefined;
        if (headLeaf !== undefined) {
          this.#bank.register(headLeaf, recipe);
          return headLeaf;
        }
        if (name.kind === 'cell' && this.#store.slot(name.cell)?.payload === undefined) {
          const leaf = dataLeaf(peerKey, name.cell);
          this.#bank.register(leaf, recipe);
          return leaf;
        }
        const bytes = recipe.make();
        const leaf = leafHash(bytes);
        this.#bank.register(leaf, recipe, bytes);
        return leaf;
      }),
    );
  }

  async sealCell(peer: OnionId, contentId: Buffer, cell: number): Promise<Buffer | undefined> {
    const stored = this.#needRevision(contentId);
    const recipe = this.#recipe(stored, pubkeyFromOnionId(peer), cell);
    if (recipe === undefined) return undefined;
    const leaf = this.#leaf(peer, stored, cell);
    if (leaf === undefined) return recipe.make();
    const bytes = this.#bank.expand(keyOf(leaf), recipe);
    this.#bank.register(leaf, recipe, bytes);
    return bytes;
  }

  async expectedMac(
    question: ChallengeQuestion,
    responder: OnionId,
    blobCells: number,
  ): Promise<{ readonly mac: Buffer; readonly damaged: readonly number[] }> {
    const keys = this.#needKeys();
    const stored = this.#needRevision(question.contentId);
    const peerKey = pubkeyFromOnionId(responder);
    const damaged: number[] = [];
    const leaves = coveredCells(question, blobCells, this.#owner.sampling).map((cell) => {
      const leaf = this.#leaf(responder, stored, cell);
      if (leaf !== undefined && this.#recipe(stored, peerKey, cell) !== undefined) return leaf;
      damaged.push(cell);
      return Buffer.alloc(0); // from damaged bytes no right answer can be made
    });
    return { mac: macOf(question, keys.pubkey, peerKey, blobCells, leaves), damaged };
  }

  async proveMac(
    question: ChallengeQuestion,
    challenger: OnionId,
    list: number,
    blobCells: number,
  ): Promise<{ readonly mac: Buffer; readonly blocksRead: number; readonly damaged: readonly number[] }> {
    const damaged: number[] = [];
    const leafOf = wholeLeaves(this.#disk, list);
    const leaves = coveredCells(question, blobCells, this.#owner.sampling).map((cell) => {
      const leaf = leafOf(cell);
      if (leaf === undefined) damaged.push(cell);
      return leaf === undefined || this.#owner.thrownAway.has(leaf) ? Buffer.alloc(32) : bytesOfKey(leaf);
    });
    const mac = macOf(question, pubkeyFromOnionId(challenger), this.#needKeys().pubkey, blobCells, leaves);
    return { mac, blocksRead: blocksRead(question), damaged: this.#owner.hidesDamage ? [] : damaged };
  }

  async damagedOfBlob(contentId: Buffer, cells: readonly number[]): Promise<readonly number[]> {
    const stored = this.#needRevision(contentId);
    const { pubkey } = this.#needKeys();
    return cells.filter((cell) => this.#recipe(stored, pubkey, cell) === undefined);
  }

  async damagedOwn(): Promise<Buffer> {
    return packed(this.#store.damaged());
  }

  async scrubOwn(
    after: number,
    limit: number,
  ): Promise<{ readonly damaged: Buffer; readonly read: number; readonly next: number; readonly total: number }> {
    const { ownCells } = this.#disk.catalog;
    const read: Key[] = [];
    let at = 0;
    for (const cell of ownCells.keys()) {
      if (at >= after + limit) break;
      if (at >= after) read.push(cell);
      at += 1;
    }
    const next = after + read.length < ownCells.size ? after + read.length : 0;
    const damaged = read.filter((cell) => this.#store.slot(cell) === undefined);
    return { damaged: packed(damaged), read: read.length, next, total: ownCells.size };
  }

  async damagedHeld(list: number, cells: readonly number[]): Promise<readonly number[]> {
    if (this.#owner.hidesDamage) return [];
    const leafOf = wholeLeaves(this.#disk, list);
    return cells.filter((cell) => leafOf(cell) === undefined);
  }

  async forgetPacks(): Promise<void> {}

  async suspectPacks(): Promise<{ readonly own: readonly number[]; readonly peers: readonly number[] }> {
    return { own: [], peers: [] };
  }

  async isOwnCell(peer: OnionId, _kind: CellKind, { cellId, bytes }: CellFromPeer): Promise<boolean> {
    return openOwnCell(this.#needKeys(), pubkeyFromOnionId(peer), keyOf(cellId), bytes) !== undefined;
  }

  async healCells(
    peer: OnionId,
    cells: readonly CellFromPeer[],
  ): Promise<{ readonly positions: readonly (CellPosition | undefined)[]; readonly marks: readonly PackMark[] }> {
    const keys = this.#needKeys();
    const positions = cells.map(({ cellId, bytes }) => {
      const slot = openOwnCell(keys, pubkeyFromOnionId(peer), keyOf(cellId), bytes);
      return slot === undefined ? undefined : this.#store.append(slot);
    });
    return { positions, marks: this.#store.marks() };
  }

  async takeMetDamage(): Promise<Buffer> {
    const met = packed([...this.#metDamage]);
    this.#metDamage.clear();
    return met;
  }

  /** Cells that nobody gives back are stored anew by the next ingest anyway, because they are not here. */
  /** This disk has no chunks. */
  async misplacedChunks(): Promise<Buffer> {
    return Buffer.alloc(0);
  }

  async setLost(cellIds: Buffer): Promise<void> {
    this.#lost = new Set(
      Array.from({ length: cellIds.length / 32 }, (_, at) => cellIds.toString('latin1', at * 32, at * 32 + 32)),
    );
  }

  async filesOfLost(revision: RevisionRow): Promise<DamagedFiles> {
    const [index = ''] = this.#needRevision(revision.contentId).body;
    if (this.#lost.has(index)) return { isIndexLost: true, files: 0, names: [] };
    const keys = this.#needKeys();
    const hit = this.#store
      .files(revision)
      .filter((file) => dataCellIds(keys, file).some((cell) => this.#lost.has(cell)));
    return { isIndexLost: false, files: hit.length, names: hit.map(({ name }) => Buffer.from(name)) };
  }

  async weakestFiles(revision: RevisionRow, copies: Buffer): Promise<WeakestFiles> {
    const keys = this.#needKeys();
    const body = this.#needRevision(revision.contentId).body.slice(revision.indexCells);
    const byCell = new Map(body.map((cell, at) => [cell, copies[at] ?? 0]));
    const files = this.#store.files(revision).map((file) => ({
      name: Buffer.from(file.name),
      copies: Math.min(...dataCellIds(keys, file).map((cell) => byCell.get(cell) ?? 0)),
    }));
    const least = Math.min(...files.map((file) => file.copies));
    const weakest = files.filter((file) => file.copies === least);
    return { copies: least, files: weakest.length, names: weakest.map(({ name }) => name) };
  }

  // Nothing of a simulated own store lies above the marks when a process starts.
  async lateRevisions(): Promise<readonly Buffer[]> {
    return [];
  }

  async lateHeadCells(): Promise<readonly Buffer[]> {
    return [];
  }

  async adoptLate(): Promise<void> {}

  async settleLate(): Promise<void> {}

  async startRecovery(revision: RevisionRow, indexCellIds: readonly Buffer[]): Promise<RecoverySession> {
    return new SimRecovery(this.#needKeys(), this.#store, revision, indexCellIds);
  }

  /** How to seal a cell of our blob for a peer; undefined when our own cell is damaged. */
  #recipe(stored: StoredRevision, peerKey: Buffer, cell: number): Recipe | undefined {
    const keys = this.#needKeys();
    const name = cellName(stored, cell);
    if (name.kind === 'head') {
      const { contentId, metadata } = stored.row;
      const head = this.#disk.own.get(stored.heads[name.at]?.slot ?? -1);
      if (head === undefined || head.isDamaged) return undefined;
      const keyring = this.#keyring;
      invariant(keyring !== undefined, 'a head is sealed by an unlocked node');
      const at = name.number * CELL_BYTES;
      const make = (): Buffer => keyring.sealHead(contentId, name.copy, metadata).subarray(at, at + CELL_BYTES);
      return { isSealed: true, make };
    }
    const slot = this.#store.slot(name.cell);
    if (slot === undefined) {
      this.#metDamage.add(name.cell);
      return undefined;
    }
    const { payload } = slot;
    if (payload === undefined) return { isSealed: false, make: () => sealData(peerKey, name.cell) };
    return { isSealed: true, make: () => sealIndex(keys, peerKey, name.cell, payload) };
  }

  #leaf(peer: OnionId, stored: StoredRevision, cell: number): Buffer | undefined {
    const name = cellName(stored, cell);
    if (name.kind === 'head') return stored.headLeaves[name.at];
    return this.#disk.catalog.leaves.get(peer)?.get(name.cell);
  }

  #needRevision(contentId: Buffer): StoredRevision {
    const stored = this.#disk.catalog.revisions.get(keyOf(contentId));
    if (stored === undefined) throw new BbError('NOT_FOUND', 'this content revision is not kept here');
    return stored;
  }

  #needKeys(): WorkerKeys {
    if (this.#keys === undefined) throw new BbError('LOCKED', 'the workers have no keys');
    return this.#keys;
  }
}

/** The leaf of a held cell of this list, as a key; undefined when the cell is not here or not whole. */
function wholeLeaves({ catalog, packs }: SimDisk, list: number): (cell: number) => Key | undefined {
  const held = catalog.lists.get(list);
  const cells = held === undefined ? undefined : catalog.held.get(held.owner);
  return (cell) => {
    const key = held?.keys[cell];
    const position = key === undefined ? undefined : cells?.get(key)?.position;
    const slot = position === undefined ? undefined : packs.get(position.pack)?.slots[position.slot];
    return slot?.fault === 'none' && slot.leafKey === key ? key : undefined;
  };
}

function packed(cells: readonly Key[]): Buffer {
  return Buffer.from(cells.join(''), 'latin1');
}

function macOf(
  question: ChallengeQuestion,
  challenger: Buffer,
  responder: Buffer,
  blobCells: number,
  leaves: readonly Buffer[],
): Buffer {
  const preamble = challengePreamble(question, challenger, responder, blobCells);
  return sha256(question.nonce, preamble, ...leaves);
}
