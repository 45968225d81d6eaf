// Restores the files of a blob from a peer with the words alone, by docs/storage-format.md and on @noble only: what a
// stranger could write if this program were gone. Nothing here comes from src.

import { sha256 } from '@noble/hashes/sha2.js';
import { hex, join, same } from './plain/bytes.ts';
import { CELL, chunkId, chunksOf, DATA, INDEX, leaf, openCell, root } from './plain/cells.ts';
import { readEntry, readIndexRecord, recordsOf } from './plain/entries.ts';
import type { PlainRecord } from './plain/entries.ts';
import { headCells, openHead, openId } from './plain/head.ts';
import { keysOf, master } from './plain/keys.ts';
import type { Keys } from './plain/keys.ts';
import { fieldsOf } from './plain/protobuf.ts';

const FILE = 1;

/**
 * The files of the blob that `peerPubkey` keeps, by the hex of their stored name. The secret is the 64-byte master key, or
 * the 24 words in their normal form (then it takes as long as Argon2id in JavaScript takes).
 */
export function openBlob(
  secret: Uint8Array | string,
  peerPubkey: Uint8Array,
  blob: Uint8Array,
): Map<string, Uint8Array> {
  const keys = keysOf(typeof secret === 'string' ? master(secret, 0, '') : secret);
  const revision = openId(keys, blob.slice(8, 72));
  if (blob.length !== revision.cellCount * CELL) throw new Error('the blob has not the length of its revision');
  const heads = headCells(revision.metaBytes);
  const metadata = readMetadata(bothHeads(keys, blob, heads));
  const cellAt = (kind: number, position: number, id: Uint8Array): Uint8Array => {
    const at = CELL * (heads + position);
    return openCell(keys, peerPubkey, kind, id, blob.slice(at, at + CELL));
  };

  const indexChunks = new Map<string, Uint8Array>();
  for (const [position, id] of metadata.indexCells.entries()) {
    for (const chunk of chunksOf(cellAt(INDEX, position, id))) indexChunks.set(hex(chunkId(keys, INDEX, chunk)), chunk);
  }
  const indexChunk = (id: Uint8Array): Uint8Array => need(indexChunks.get(hex(id)), 'an index chunk is missing');
  const readStream = (level: number, ids: readonly Uint8Array[]): Uint8Array => {
    const bytes = join(...ids.map(indexChunk));
    return level === 0 ? bytes : readStream(level - 1, pieces(bytes, 16));
  };

  const records = recordsOf(readStream(metadata.rootLevel, metadata.rootIds)).map(readIndexRecord);
  const cells = records.filter((record) => record.type === 'cell');
  checkContentRoot(metadata, cells);
  const places = new Map<string, { position: number; cellId: Uint8Array; index: number }>();
  for (const [number, cell] of cells.entries()) {
    const position = metadata.indexCells.length + number;
    for (const [index, id] of cell.chunkIds.entries()) places.set(hex(id), { position, cellId: cell.cellId, index });
  }
  const dataChunk = (id: Uint8Array): Uint8Array => {
    const place = need(places.get(hex(id)), 'a chunk has no cell');
    const chunk = need(chunksOf(cellAt(DATA, place.position, place.cellId))[place.index], 'a cell lacks a chunk');
    if (!same(chunkId(keys, DATA, chunk), id)) throw new Error('a chunk is not the one that was asked for');
    return chunk;
  };

  const files = new Map<string, Uint8Array>();
  for (const record of records) {
    if (record.type !== 'snapshot') continue;
    for (const body of recordsOf(readStream(record.level, record.chunkIds))) {
      const entry = readEntry(body);
      if (entry.kind !== FILE) continue;
      const bytes = withHoles(join(...entry.chunkIds.map(dataChunk)), entry.size, entry.holes);
      if (entry.sha256.length > 0 && !same(sha256(bytes), entry.sha256)) throw new Error('a file has other bytes');
      files.set(hex(entry.path), bytes);
    }
  }
  return files;
}

/** Metadata from both heads, which must say the same. */
function bothHeads(keys: Keys, blob: Uint8Array, heads: number): Uint8Array {
  const first = openHead(keys, blob.slice(0, CELL * heads), 0);
  const second = openHead(keys, blob.slice(blob.length - CELL * heads), 1);
  if (!same(first, second)) throw new Error('the two heads differ');
  return first;
}

type HandMetadata = {
  indexCells: Uint8Array[];
  rootLevel: number;
  rootIds: Uint8Array[];
  dataCells: number;
  contentRoot: Uint8Array;
};

/** The fields of storedpb.v1.Metadata that lead to the files. */
function readMetadata(bytes: Uint8Array): HandMetadata {
  const fields = fieldsOf(bytes);
  const root = fieldsOf(fields.bytes(9));
  return {
    contentRoot: fields.bytes(3),
    indexCells: pieces(fields.bytes(8), 32),
    rootLevel: root.number(1),
    rootIds: pieces(root.bytes(2), 16),
    dataCells: fields.number(10),
  };
}

function checkContentRoot(metadata: HandMetadata, cells: readonly Extract<PlainRecord, { type: 'cell' }>[]): void {
  if (cells.length !== metadata.dataCells) throw new Error('the index does not name every data cell');
  const ids = [...metadata.indexCells, ...cells.map((cell) => cell.cellId)];
  if (!same(root(ids.map(leaf)), metadata.contentRoot)) throw new Error('the content root is wrong');
}

function withHoles(data: Uint8Array, size: number, holes: readonly { offset: number; bytes: number }[]): Uint8Array {
  const out = new Uint8Array(size);
  let from = 0;
  let to = 0;
  for (const hole of [...holes, { offset: size, bytes: 0 }]) {
    const length = hole.offset - to;
    out.set(data.slice(from, from + length), to);
    from += length;
    to = hole.offset + hole.bytes;
  }
  if (from !== data.length) throw new Error('the chunks of a file have another length than the file');
  return out;
}

function pieces(bytes: Uint8Array, width: number): Uint8Array[] {
  return Array.from({ length: bytes.length / width }, (_, i) => bytes.slice(width * i, width * (i + 1)));
}

function need<T>(value: T | undefined, problem: string): T {
  if (value === undefined) throw new Error(problem);
  return value;
}
