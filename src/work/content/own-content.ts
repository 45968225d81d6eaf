// The unlocked state of the content worker: keys, catalog (reading), the one writer of the own store.

import type { Metadata } from '../../core/content/metadata.ts';
import { packKeys } from '../../core/crypto/dir-keys.ts';
import { gearTable } from '../../core/content/gear.ts';
import { BbError } from '../../core/errors.ts';
import type { RevisionRow } from '../../ports/catalog.ts';
import type { PackMark } from '../../ports/cell-store.ts';
import type { WorkerKeys } from '../../ports/workers.ts';
import { CatalogReader } from '../../storage/catalog/catalog-reader.ts';
import { removeStaging, StagingDb, stagingPath } from '../../storage/catalog/staging.ts';
import { diskFiles } from '../../storage/files.ts';
import { PackCellStore } from '../../storage/packs/pack-cell-store.ts';
import { metadataCodec } from '../../storage/stored/metadata-codec.ts';
import { threadRandom } from '../thread-random.ts';
import { LateContent } from './late-content.ts';
import { OwnCells } from './own-cells.ts';
import type { CellFinder } from './own-cells.ts';
import { OwnDamage } from './own-damage.ts';

const RECOVERY = 'recovery-';

export class OwnContent {
  readonly dataDir: string;
  readonly keys: WorkerKeys;
  readonly gear: Uint32Array;
  readonly catalog: CatalogReader;
  readonly store: PackCellStore;
  readonly damage = new OwnDamage();
  /** Cells of committed revisions. */
  readonly committed: OwnCells;
  /** Finished revisions above the marks, until settleLate(). */
  late: LateContent | undefined;

  private constructor(dataDir: string, keys: WorkerKeys) {
    this.dataDir = dataDir;
    this.keys = keys;
    this.gear = gearTable(keys.cdc);
    this.catalog = new CatalogReader(dataDir, keys.rowKey);
    this.store = new PackCellStore({ dir: `${dataDir}/own`, kind: 'own', keys: packKeys(keys.wrapKey) }, threadRandom);
    const onDamaged = (cellId: Buffer): void => this.damage.meet(cellId);
    this.committed = new OwnCells(keys, committedFinder(this.catalog), this.store, onDamaged);
  }

  /** Opens the store at what is committed and removes what an earlier ingest left behind; a recovery goes on. */
  static async open(dataDir: string, keys: WorkerKeys): Promise<OwnContent> {
    const own = new OwnContent(dataDir, keys);
    try {
      await diskFiles.makeDir(`${dataDir}/tmp`);
      for (const id of await stagingIds(dataDir)) {
        if (!isRecovery(id)) removeStaging(stagingPath(dataDir, id));
      }
      own.late = await LateContent.find(dataDir, keys, await own.#knownMarks());
      await own.cutBack();
      return own;
    } catch (error) {
      // A connection that stays open would keep the damaged catalog in use while it is put back.
      await own.store.close();
      own.catalog.close();
      throw error;
    }
  }

  /** Where a recovery of this revision begins: at the late cells that are its own. */
  async adoptLate(contentId: Buffer, signal: AbortSignal): Promise<void> {
    await this.late?.adopt(stagingPath(this.dataDir, recoveryStagingId(contentId)), signal);
  }

  /** Late content was taken over, or is of no use: what nothing knows by now is cut off. */
  async settleLate(): Promise<void> {
    if (this.late === undefined) return;
    this.late = undefined;
    await this.cutBack();
  }

  /** Takes back cells that no commit and no recovery knows. */
  async cutBack(): Promise<void> {
    await this.store.open(highest([...(await this.#knownMarks()), ...(this.late?.marks() ?? [])]));
  }

  /** Marks of the catalog and of recoveries. */
  async #knownMarks(): Promise<PackMark[]> {
    const marks = [...this.catalog.marks('own')];
    for (const id of await stagingIds(this.dataDir)) {
      if (!isRecovery(id)) continue;
      const staging = new StagingDb(stagingPath(this.dataDir, id), { durable: true });
      marks.push(...staging.marks());
      staging.close();
    }
    return highest(marks);
  }

  /** Staging databases of the recoveries of other revisions. */
  async otherRecoveries(contentId: Buffer): Promise<readonly string[]> {
    const ids = (await stagingIds(this.dataDir)).filter(isRecovery);
    return ids.filter((id) => id !== recoveryStagingId(contentId)).map((id) => stagingPath(this.dataDir, id));
  }

  /** Removes the staging databases of recoveries, or what a power loss left of them, and their cells. */
  async dropRecoveries(): Promise<void> {
    const left = (await diskFiles.list(`${this.dataDir}/tmp`)).filter(isRecovery);
    for (const name of left) await diskFiles.unlink(`${this.dataDir}/tmp/${name}`);
    if (left.length > 0) await this.cutBack();
  }

  async close(): Promise<void> {
    await this.store.close();
    this.catalog.close();
    this.committed.forget();
    this.gear.fill(0);
    for (const key of Object.values(this.keys)) key.fill(0);
  }
}

/** One mark for each pack. */
function highest(marks: readonly PackMark[]): PackMark[] {
  const slots = new Map<number, number>();
  for (const mark of marks) slots.set(mark.pack, Math.max(slots.get(mark.pack) ?? 0, mark.slots));
  return [...slots].map(([pack, count]) => ({ pack, slots: count }));
}

/** Name of the staging database of a recovery; survives a restart. */
export function recoveryStagingId(contentId: Buffer): string {
  return RECOVERY + contentId.subarray(0, 8).toString('hex');
}

export function isRecovery(stagingId: string): boolean {
  return stagingId.startsWith(RECOVERY);
}

export function newStagingId(): string {
  return `ingest-${threadRandom.bytes(8).toString('hex')}`;
}

/** INTEGRITY when the row's own Metadata does not decode. */
export function metadataOf(row: RevisionRow): Metadata {
  const metadata = metadataCodec.decode(row.metadata);
  if (metadata === undefined) throw new BbError('INTEGRITY', 'the metadata of a revision is damaged');
  return metadata;
}

/** What is staged goes before what is committed: a chunk that moved is in its new cell. */
export function stagedFinder(staging: StagingDb, catalog: CatalogReader): CellFinder {
  const cell: CellFinder['cell'] = (cellId) => {
    const staged = staging.cell(cellId) ?? catalog.cell(cellId);
    return staged === undefined ? undefined : { cellId, ...staged };
  };
  return {
    cell,
    chunkCell(chunkId) {
      const cellId = staging.chunkCell(chunkId);
      return cellId === undefined ? catalog.chunkCell(chunkId) : cell(cellId);
    },
  };
}

export function committedFinder(catalog: CatalogReader): CellFinder {
  return {
    chunkCell: (chunkId) => catalog.chunkCell(chunkId),
    cell(cellId) {
      const known = catalog.cell(cellId);
      return known === undefined ? undefined : { cellId, ...known };
    },
  };
}

async function stagingIds(dataDir: string): Promise<string[]> {
  const names = await diskFiles.list(`${dataDir}/tmp`);
  return names.filter((name) => name.endsWith('.db')).map((name) => name.slice(0, -'.db'.length));
}
