// Own cells of a simulated node and the content that they make: what the worker threads do to packs and staging.

import { BbError } from '../../src/core/errors.ts';
import { contentRoot } from '../../src/core/content/merkle.ts';
import { CELL_BYTES } from '../../src/core/limits.ts';
import type { RevisionRow, StagedContent } from '../../src/ports/catalog.ts';
import type { CellPosition, PackMark } from '../../src/ports/cell-store.ts';
import type { WorkerKeys } from '../../src/ports/workers.ts';
import { dataCellIds, decodeFiles, encodeFiles, indexCellId } from './content.ts';
import type { SimFile } from './content.ts';
import { keyOf } from './sim-disk.ts';
import type { Key, OwnSlot, SimDisk } from './sim-disk.ts';

export class OwnStore {
  readonly disk: SimDisk;
  #stagings = 0;

  constructor(disk: SimDisk) {
    this.disk = disk;
  }

  /** The slot of a known cell; undefined when it is damaged or gone. */
  slot(cell: Key): OwnSlot | undefined {
    const position = this.disk.catalog.ownCells.get(cell)?.position;
    const slot = position === undefined ? undefined : this.disk.own.get(position.slot);
    return slot === undefined || slot.isDamaged || slot.cell !== cell ? undefined : slot;
  }

  /** Ids of all cells of kept revisions that are damaged or gone. */
  damaged(): Key[] {
    return [...this.disk.catalog.ownCells.keys()].filter((cell) => this.slot(cell) === undefined);
  }

  append(slot: OwnSlot): CellPosition {
    const number = this.disk.nextOwnSlot;
    this.disk.nextOwnSlot += 1;
    this.disk.own.set(number, slot);
    return { pack: 0, slot: number };
  }

  marks(): PackMark[] {
    return [{ pack: 0, slots: this.disk.nextOwnSlot }];
  }

  /** What is above the mark was never committed. */
  cutToMark(): void {
    const mark = this.disk.catalog.marks.own.get(0) ?? 0;
    for (const slot of this.disk.own.keys()) if (slot >= mark) this.disk.own.delete(slot);
  }

  /** The files of a committed revision; INTEGRITY when its index cell is damaged. */
  files(row: RevisionRow): SimFile[] {
    const [index = ''] = this.disk.catalog.revisions.get(keyOf(row.contentId))?.body ?? [];
    const payload = this.slot(index)?.payload;
    if (payload === undefined) throw new BbError('INTEGRITY', 'the index of the content is damaged');
    return decodeFiles(payload);
  }

  /** Makes all cells of these files durable that are not here yet; `known` are cells that came back in a recovery. */
  stage(
    keys: WorkerKeys,
    files: readonly SimFile[],
    before: readonly SimFile[],
    known: ReadonlyMap<Key, OwnSlot> = new Map(),
  ): StagedContent {
    const payload = encodeFiles(files);
    const index = indexCellId(keys, payload);
    const data = files.flatMap((file) => dataCellIds(keys, file));
    const cells = new Map<Key, CellPosition>();
    for (const cell of [index, ...data]) {
      if (this.slot(cell) !== undefined || cells.has(cell)) continue;
      const fresh = { cell, payload: cell === index ? payload : undefined, isDamaged: false };
      cells.set(cell, this.append(known.get(cell) ?? fresh));
    }
    this.#stagings += 1;
    const stagingId = `content-${this.#stagings}`;
    this.disk.staging.set(stagingId, { cells, index: [index], data });
    const idBytes = [index, ...data].map((cell) => Buffer.from(cell, 'latin1'));
    const names = new Set(files.map(({ name }) => name));
    const namesBefore = new Set(before.map(({ name }) => name));
    return {
      stagingId,
      indexCells: 1,
      dataCells: data.length,
      indexRoot: { level: 0, chunkIds: [] },
      contentRoot: contentRoot(Buffer.concat(idBytes)),
      indexCellIds: Buffer.from(index, 'latin1'),
      fileCount: files.length,
      fileBytes: data.length * CELL_BYTES,
      addedFiles: [...names].filter((name) => !namesBefore.has(name)).length,
      removedFiles: [...namesBefore].filter((name) => !names.has(name)).length,
      isChanged: !payload.equals(encodeFiles(before)),
      skippedFiles: 0,
      newCells: cells.size,
    };
  }
}
