// Builds a small but complete blob with src: the counterpart of restore-by-hand.ts in its test.

import { Chunker, DATA_CHUNKS, INDEX_CHUNKS } from '../../src/core/content/chunker.ts';
import { chunkId } from '../../src/core/content/chunk-id.ts';
import { compressChunk } from '../../src/core/content/compress.ts';
import { encodeIndexRecord, INDEX_MAGIC } from '../../src/core/content/directory.ts';
import type { Entry } from '../../src/core/content/entry.ts';
import { TABLE_MAGIC, TableWriter } from '../../src/core/content/file-table.ts';
import { gearTable } from '../../src/core/content/gear.ts';
import { contentRoot } from '../../src/core/content/merkle.ts';
import { Packer } from '../../src/core/content/packer.ts';
import type { PackedCell } from '../../src/core/content/packer.ts';
import { foldRoot } from '../../src/core/content/root-list.ts';
import type { RootList } from '../../src/core/content/root-list.ts';
import { CELL_KIND, cellId, sealCell } from '../../src/core/crypto/cell-seal.ts';
import type { CellKind } from '../../src/core/crypto/cell-seal.ts';
import { startSha256 } from '../../src/core/crypto/hash.ts';
import { headCellCount } from '../../src/core/crypto/head.ts';
import { Keyring } from '../../src/core/crypto/keyring.ts';
import { Metadata } from '../../src/gen/storedpb/v1/stored.ts';

/** An entry without its content, and the pieces of its bytes between its holes. */
export type BlobFile = { readonly entry: Entry; readonly data: Buffer };

export function buildBlob(master: Buffer, peerPubkey: Buffer, files: readonly BlobFile[]): Buffer {
  const ring = new Keyring(master);
  const chunkKeys = ring.chunkKeys();
  const cellKeys = ring.cellKeys();
  const gear = gearTable(chunkKeys.cdc);
  const cells = { [CELL_KIND.DATA]: [] as PackedCell[], [CELL_KIND.INDEX]: [] as PackedCell[] };
  const packers = { [CELL_KIND.DATA]: new Packer(), [CELL_KIND.INDEX]: new Packer() };

  const store = (kind: 1 | 2, bytes: Buffer): Buffer[] => {
    const chunker = new Chunker(gear, kind === CELL_KIND.DATA ? DATA_CHUNKS : INDEX_CHUNKS);
    const chunks = [...chunker.push(bytes), chunker.finish()].filter((chunk) => chunk !== undefined);
    return chunks.map((plain) => {
      const id = chunkId(chunkKeys.id, kind, plain);
      const full = packers[kind].push({ ...compressChunk(plain), chunkId: id, plainBytes: plain.length });
      if (full !== undefined) cells[kind].push(full);
      return id;
    });
  };
  const storeStream = (bytes: Buffer): RootList =>
    foldRoot(store(CELL_KIND.INDEX, bytes), (list) => store(CELL_KIND.INDEX, list));
  const idOf = (kind: CellKind, cell: PackedCell): Buffer => cellId(cellKeys.id, kind, cell.plain);

  const writer = new TableWriter();
  const records = files.map(({ entry, data }) => {
    const chunkIds = Buffer.concat(store(CELL_KIND.DATA, data));
    return writer.append({ ...entry, chunkIds, sha256: entry.kind === 1 ? digest(entry, data) : Buffer.alloc(0) });
  });
  cells[CELL_KIND.DATA].push(...packers[CELL_KIND.DATA].finish());
  const table = storeStream(Buffer.concat([TABLE_MAGIC, ...records]));
  const dataIds = cells[CELL_KIND.DATA].map((cell) => idOf(CELL_KIND.DATA, cell));
  const directory = cells[CELL_KIND.DATA].map((cell, index) =>
    encodeIndexRecord({
      kind: 'cell',
      cell: {
        cellId: dataIds[index] as Buffer,
        chunks: cell.chunks.map((chunk) => ({ ...chunk, storedBytes: chunk.stored.length })),
      },
    }),
  );
  const snapshot = encodeIndexRecord({
    kind: 'snapshot',
    snapshot: {
      id: Buffer.alloc(16, 1),
      timeMs: 1,
      set: Buffer.alloc(0),
      parent: Buffer.alloc(0),
      fileCount: files.length,
      fileBytes: 0,
      table,
      extensions: [],
    },
  });
  const indexRoot = storeStream(Buffer.concat([INDEX_MAGIC, ...directory, snapshot]));
  cells[CELL_KIND.INDEX].push(...packers[CELL_KIND.INDEX].finish());
  const indexIds = cells[CELL_KIND.INDEX].map((cell) => idOf(CELL_KIND.INDEX, cell));

  const metadata = Buffer.from(
    Metadata.encode(
      Metadata.fromPartial({
        contentSha256: contentRoot(Buffer.concat([...indexIds, ...dataIds])),
        indexCells: Buffer.concat(indexIds),
        indexRoot: { level: indexRoot.level, chunkIds: Buffer.concat(indexRoot.chunkIds) },
        dataCells: dataIds.length,
      }),
    ).finish(),
  );
  const cellCount = 2 * headCellCount(metadata.length) + indexIds.length + dataIds.length;
  const contentId = ring.sealContentId({
    generation: 1,
    sequence: 1,
    createdMs: 1,
    nonce: Buffer.alloc(16, 2),
    metaBytes: metadata.length,
    cellCount,
  });
  const seal = (kind: CellKind) => (cell: PackedCell) =>
    sealCell(cellKeys.enc, peerPubkey, idOf(kind, cell), cell.plain);
  return Buffer.concat([
    ring.sealHead(contentId, 0, metadata),
    ...cells[CELL_KIND.INDEX].map(seal(CELL_KIND.INDEX)),
    ...cells[CELL_KIND.DATA].map(seal(CELL_KIND.DATA)),
    ring.sealHead(contentId, 1, metadata),
  ]);
}

/** SHA-256 of the file with its holes as zeros. */
function digest(entry: Entry, data: Buffer): Buffer {
  const hash = startSha256();
  let from = 0;
  let to = 0;
  for (const hole of [...entry.holes, { offset: entry.size, bytes: 0 }]) {
    const length = hole.offset - to;
    hash.update(data.subarray(from, from + length));
    hash.update(Buffer.alloc(hole.bytes));
    from += length;
    to = hole.offset + hole.bytes;
  }
  return hash.digest();
}
