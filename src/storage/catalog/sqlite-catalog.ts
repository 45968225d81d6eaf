// The catalog in SQLite. Every call runs synchronously inside its promise, so one object serves one caller after the
// other; `work` puts it on a thread of its own. Arguments may have crossed a thread: bytes may be plain Uint8Arrays.
// Invariant: a method that writes is one transaction; locked, nothing sealed can be read or written (LOCKED).

import { blobCellCount } from '../../core/challenge/plan.ts';
import type { OnionId } from '../../core/ids.ts';
import type { CatalogRecord, RecordId } from '../../core/records.ts';
import type {
  Catalog,
  CommonRun,
  HeldMove,
  OwnMove,
  PackUse,
  RevisionCommit,
  RevisionRow,
} from '../../ports/catalog.ts';
import type { CellPosition, PackMark } from '../../ports/cell-store.ts';
import type { Random } from '../../ports/random.ts';
import { BbError, invariant } from '../../core/errors.ts';
import type { CatalogReport, CatalogSource } from '../../ports/catalog-repair.ts';
import { withBallast } from '../ballast.ts';
import { adoptHeldCells } from './adopt-held.ts';
import { backupCatalog } from './backup.ts';
import { commitRevision } from './commit.ts';
import { CATALOG_NAME, openDatabase, openExisting } from './database.ts';
import * as held from './held.ts';
import { dropHeldPacks, heldInPack, heldPackUse, moveHeld } from './held-packs.ts';
import { inspectCatalog, verifyCatalog, verifyCopy } from './inspect.ts';
import { readLeaves, unknownIn, writeLeaves } from './leaves.ts';
import { readMarks } from './marks.ts';
import type { StoreName } from './marks.ts';
import { moveOwn, placeChunks } from './move-own.ts';
import { findPeerNumber, peerNumber } from './peer-numbers.ts';
import { databaseProblems, endRebuild, markRebuilt, rebuildCatalog, rebuiltFrom } from './rebuild.ts';
import { readRecords, writeRecords } from './records.ts';
import * as revisions from './revisions.ts';
import { RowKeys } from './row-keys.ts';
import type { Sql } from './sql.ts';
import { hasTraces } from './traces.ts';

export class SqliteCatalog implements Catalog {
  readonly #dataDir: string;
  readonly #random: Pick<Random, 'bytes'>;
  #sql: Sql | undefined;
  #keys: RowKeys | undefined;
  /** Why open() failed. */
  #problem = 'the catalog was not opened';

  constructor(dataDir: string, random: Pick<Random, 'bytes'>) {
    this.#dataDir = dataDir;
    this.#random = random;
  }

  async open(): Promise<void> {
    if (this.#sql !== undefined) return;
    const path = `${this.#dataDir}/${CATALOG_NAME}`;
    try {
      this.#sql = hasTraces(this.#dataDir) ? openExisting(path) : openDatabase(path);
    } catch (error) {
      this.#problem = error instanceof Error ? error.message : 'the catalog cannot be opened';
      throw error;
    }
  }

  async inspect(): Promise<CatalogReport> {
    return inspectCatalog(this.#dataDir, this.#sql, this.#problem);
  }

  async verify(): ReturnType<Catalog['verify']> {
    const { sql, keys } = this.#unlocked();
    return { catalog: verifyCatalog(sql, keys), copy: verifyCopy(this.#dataDir, keys) };
  }

  async rebuild(isCopyBad: boolean): Promise<CatalogSource> {
    await this.close();
    const source = rebuildCatalog(this.#dataDir, isCopyBad);
    await this.open();
    return source;
  }

  async rebuiltFrom(): Promise<CatalogSource | undefined> {
    return rebuiltFrom(this.#opened());
  }

  async markRebuilt(): Promise<void> {
    const sql = this.#opened();
    sql.transaction(() => markRebuilt(sql, 'copy'));
  }

  async adoptHeldCells(wrapKey: Buffer): Promise<number> {
    const { sql, keys } = this.#unlocked();
    return adoptHeldCells(this.#dataDir, sql, keys, wrapKey);
  }

  async endRebuild(puts: readonly CatalogRecord[]): Promise<void> {
    const { sql, keys } = this.#unlocked();
    sql.transaction(() => {
      writeRecords(sql, keys, puts);
      endRebuild(sql);
    });
  }

  async unlock(rowKey: Buffer): Promise<void> {
    this.#keys?.wipe();
    this.#keys = new RowKeys(rowKey, this.#random);
  }

  async lock(): Promise<void> {
    this.#keys?.wipe();
    this.#keys = undefined;
  }

  async close(): Promise<void> {
    await this.lock();
    this.#sql?.close();
    this.#sql = undefined;
  }

  async records(): Promise<readonly CatalogRecord[]> {
    const { sql, keys } = this.#unlocked();
    return readRecords(sql, keys);
  }

  async putRecords(puts: readonly CatalogRecord[], deletes: readonly RecordId[] = []): Promise<void> {
    const { sql, keys } = this.#unlocked();
    sql.transaction(() => writeRecords(sql, keys, puts, deletes));
  }

  async marks(store: StoreName): Promise<readonly PackMark[]> {
    return readMarks(this.#opened(), store);
  }

  async newestRevision(): Promise<RevisionRow | undefined> {
    const { sql, keys } = this.#unlocked();
    const known = revisions.newestRevision(sql, keys);
    return known && revisions.withMetadata(sql, keys, known);
  }

  async revision(contentId: Buffer): Promise<RevisionRow | undefined> {
    const { sql, keys } = this.#unlocked();
    const known = revisions.findRevision(sql, keys, contentId);
    return known && revisions.withMetadata(sql, keys, known);
  }

  async commitRevision(commit: RevisionCommit): Promise<void> {
    const { sql, keys } = this.#unlocked();
    commitRevision(sql, keys, this.#dataDir, commit);
  }

  async moveOwn(move: OwnMove): Promise<void> {
    const { sql, keys } = this.#unlocked();
    sql.transaction(() => moveOwn(sql, keys, move));
  }

  async placeChunks(places: Buffer): Promise<void> {
    const { sql } = this.#unlocked();
    sql.transaction(() => placeChunks(sql, places));
  }

  async dropRevision(contentId: Buffer): Promise<void> {
    const { sql, keys } = this.#unlocked();
    withBallast(this.#dataDir, () =>
      sql.transaction(() => {
        const known = revisions.findRevision(sql, keys, contentId);
        if (known !== undefined) revisions.dropRevision(sql, keys, known);
      }),
    );
  }

  async cellIds(contentId: Buffer, from: number, count: number): Promise<Buffer> {
    const { sql, keys } = this.#unlocked();
    return revisions.cellIds(sql, revisions.needRevision(sql, keys, contentId), from, count);
  }

  async cellPositions(contentId: Buffer, from: number, count: number): Promise<readonly CellPosition[]> {
    const { sql, keys } = this.#unlocked();
    return revisions.cellPositions(sql, revisions.needRevision(sql, keys, contentId), from, count);
  }

  async commonRuns(contentId: Buffer, reference: Buffer): Promise<readonly CommonRun[]> {
    const { sql, keys } = this.#unlocked();
    const known = revisions.needRevision(sql, keys, contentId);
    return revisions.commonRuns(sql, known, revisions.needRevision(sql, keys, reference));
  }

  async peerLeaves(peer: OnionId, contentId: Buffer, from: number, count: number): Promise<Buffer | undefined> {
    const { sql, keys } = this.#unlocked();
    const known = revisions.needRevision(sql, keys, contentId);
    const leaves = readLeaves(sql, keys, findPeerNumber(sql, keys, peer), known, from, count);
    return unknownIn(leaves).length === 0 ? leaves : undefined;
  }

  async unknownLeaves(peer: OnionId, contentId: Buffer): Promise<readonly number[]> {
    const { sql, keys } = this.#unlocked();
    const known = revisions.needRevision(sql, keys, contentId);
    return unknownIn(readLeaves(sql, keys, findPeerNumber(sql, keys, peer), known, 0, blobCellCount(known.row)));
  }

  async putLeaves(peer: OnionId, contentId: Buffer, cells: readonly number[], leaves: Buffer): Promise<void> {
    const { sql, keys } = this.#unlocked();
    const known = revisions.needRevision(sql, keys, contentId);
    sql.transaction(() => writeLeaves(sql, keys, peerNumber(sql, keys, peer), known, cells, leaves));
  }

  async createHeldList(owner: OnionId, leaves: Buffer): Promise<number> {
    const { sql, keys } = this.#unlocked();
    return sql.transaction(() => held.createHeldList(sql, keys, peerNumber(sql, keys, owner), leaves));
  }

  async heldLeaves(list: number, from: number, count: number): Promise<Buffer> {
    const { sql, keys } = this.#unlocked();
    return held.heldLeaves(sql, keys, list, from, count);
  }

  async heldMissing(list: number, from: number, limit: number): Promise<readonly number[]> {
    return held.heldMissing(this.#opened(), list, from, limit);
  }

  async addHeldCells(
    owner: OnionId,
    cells: readonly { readonly leaf: Buffer; readonly position: CellPosition }[],
    marks: readonly PackMark[],
  ): Promise<void> {
    const { sql, keys } = this.#unlocked();
    sql.transaction(() => held.addHeldCells(sql, keys, peerNumber(sql, keys, owner), cells, marks));
  }

  async heldPositions(list: number, from: number, count: number): Promise<readonly (CellPosition | undefined)[]> {
    return held.heldPositions(this.#opened(), list, from, count);
  }

  async dropHeldList(list: number): Promise<readonly number[]> {
    const sql = this.#opened();
    return withBallast(this.#dataDir, () => sql.transaction(() => held.dropHeldList(sql, list)));
  }

  async heldPackUse(): Promise<readonly PackUse[]> {
    return heldPackUse(this.#opened());
  }

  async heldInPack(pack: number, slot: number, limit: number): Promise<readonly CellPosition[]> {
    return heldInPack(this.#opened(), pack, slot, limit);
  }

  async moveHeld(moves: readonly HeldMove[], marks: readonly PackMark[]): Promise<void> {
    const sql = this.#opened();
    sql.transaction(() => moveHeld(sql, moves, marks));
  }

  async dropHeldPacks(packs: readonly number[]): Promise<readonly number[]> {
    return dropHeldPacks(this.#opened(), packs);
  }

  async heldDistinctCells(lists: readonly number[]): Promise<number> {
    return held.heldDistinctCells(this.#opened(), lists);
  }

  async inventory(): ReturnType<Catalog['inventory']> {
    const { sql, keys } = this.#unlocked();
    return {
      revisions: revisions.allRevisions(sql, keys).map(({ row }) => row.contentId),
      heldLists: held.allHeldLists(sql).map(({ list }) => list),
    };
  }

  /** A damaged catalog replaces no copy: INTEGRITY. What needs the row key is looked at while it is there. */
  async backup(): Promise<void> {
    const sql = this.#opened();
    const [problem] = this.#keys === undefined ? databaseProblems(sql) : verifyCatalog(sql, this.#keys);
    if (problem !== undefined) throw new BbError('INTEGRITY', `the catalog is damaged: ${problem}`);
    backupCatalog(sql, this.#dataDir);
  }

  #opened(): Sql {
    invariant(this.#sql !== undefined, 'the catalog is open');
    return this.#sql;
  }

  #unlocked(): { readonly sql: Sql; readonly keys: RowKeys } {
    const sql = this.#opened();
    if (this.#keys === undefined) throw new BbError('LOCKED', 'the catalog is locked');
    return { sql, keys: this.#keys };
  }
}
