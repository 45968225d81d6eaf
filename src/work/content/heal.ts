// Own cells that came back from a peer: opened under their cell_id with the key of that peer, sealed for ourselves,
// written once more and read back (docs/protocol.md, "Damage"). The catalog learns of it afterwards.
// Invariant: a cell is written only when its bytes give its cell_id; the damaged one is not touched.

import { leafHash } from '../../core/content/merkle.ts';
import { CHUNK_ID_BYTES } from '../../core/content/chunk-id.ts';
import { openCell, sealCell } from '../../core/crypto/cell-seal.ts';
import type { CellKind } from '../../core/crypto/cell-seal.ts';
import { BbError } from '../../core/errors.ts';
import { MISSING_NAMES } from '../../core/limits.ts';
import type { RevisionRow } from '../../ports/catalog.ts';
import type { CellPosition, PackMark } from '../../ports/cell-store.ts';
import type { CellFromPeer, DamagedFiles } from '../../ports/workers.ts';
import { splitBytes } from './byte-list.ts';
import { metadataOf } from './own-content.ts';
import type { OwnContent } from './own-content.ts';
import { readSnapshot, tableEntries } from './stored-streams.ts';

/** True if these bytes of a peer open to this cell of ours. */
export function isOwnCell(own: OwnContent, peerKey: Buffer, kind: CellKind, { cellId, bytes }: CellFromPeer): boolean {
  const { cellId: id, cellEnc: enc } = own.keys;
  return openCell({ id, enc }, peerKey, kind, cellId, bytes) !== undefined;
}

/** Positions in the order of the cells; undefined for one that is wrong, or that no revision lists. */
export async function healCells(
  own: OwnContent,
  peerKey: Buffer,
  cells: readonly CellFromPeer[],
): Promise<{ readonly positions: readonly (CellPosition | undefined)[]; readonly marks: readonly PackMark[] }> {
  const positions: (CellPosition | undefined)[] = [];
  for (const cell of cells) positions.push(await writeAgain(own, peerKey, cell));
  const marks = await own.store.sync();
  for (const [index, position] of positions.entries()) {
    const cell = cells[index];
    if (position !== undefined && cell !== undefined) await readBack(own, cell.cellId, position);
  }
  return { positions, marks };
}

async function writeAgain(
  own: OwnContent,
  peerKey: Buffer,
  { cellId, bytes }: CellFromPeer,
): Promise<CellPosition | undefined> {
  const { cellId: id, cellEnc: enc, pubkey } = own.keys;
  const kind = own.catalog.cell(cellId)?.kind as CellKind | undefined;
  const plain = kind === undefined ? undefined : openCell({ id, enc }, peerKey, kind, cellId, bytes);
  if (plain === undefined || kind === undefined) return undefined;
  const sealed = sealCell(enc, pubkey, cellId, plain);
  const [position] = await own.store.append([{ kind, address: cellId, leaf: leafHash(sealed), bytes: sealed }]);
  return position;
}

async function readBack(own: OwnContent, cellId: Buffer, position: CellPosition): Promise<void> {
  const { cellId: id, cellEnc: enc, pubkey } = own.keys;
  const kind = own.catalog.cell(cellId)?.kind as CellKind;
  if (openCell({ id, enc }, pubkey, kind, cellId, await own.store.read(position)) !== undefined) return;
  throw new BbError('INTEGRITY', 'a healed cell does not read back as it was written');
}

/** Which files of a revision need bytes of the lost cells. Without a readable index nothing can be said of any. */
export async function filesOfLost(own: OwnContent, row: RevisionRow): Promise<DamagedFiles> {
  const names: Buffer[] = [];
  let files = 0;
  try {
    const snapshot = await readSnapshot(own.committed, metadataOf(row).indexRoot);
    for await (const entry of tableEntries(own.committed, snapshot)) {
      if (!needsLost(own, entry.chunkIds)) continue;
      files += 1;
      if (names.length < MISSING_NAMES) names.push(entry.path);
    }
  } catch (error) {
    if (error instanceof BbError && error.code === 'INTEGRITY') return { isIndexLost: true, files, names };
    throw error;
  }
  return { isIndexLost: false, files, names };
}

/** True if one of these chunks (packed ids) lies in a lost cell. */
export function needsLost(own: OwnContent, chunkIds: Buffer): boolean {
  if (!own.damage.hasLost) return false;
  for (const id of splitBytes(chunkIds, CHUNK_ID_BYTES)) {
    const found = own.catalog.chunkCell(id);
    if (found !== undefined && own.damage.isLost(found.cellId)) return true;
  }
  return false;
}
