// The root of a stored stream: the list of its chunk ids. A long list is itself chunked and stored one level up, until at
// most 512 ids remain, so that a head stays one cell (docs/storage-format.md, "Root lists").

import { BbError, invariant } from '../errors.ts';
import { INDEX_ROOT_CHUNKS, ROOT_LEVELS } from '../limits.ts';
import { CHUNK_ID_BYTES } from './chunk-id.ts';

/** `level` 0: the ids name the chunks of the stream; n: those of the packed list of level n-1. */
export type RootList = { readonly level: number; readonly chunkIds: readonly Buffer[] };

/**
 * Folds the chunk ids of a stream. `store` cuts the given bytes into chunks, stores them in INDEX cells and returns their
 * ids; it is called once per level.
 */
export function foldRoot(chunkIds: readonly Buffer[], store: (list: Buffer) => readonly Buffer[]): RootList {
  let ids = chunkIds;
  let level = 0;
  for (; ids.length > INDEX_ROOT_CHUNKS; level++) {
    invariant(level < ROOT_LEVELS, 'a list of chunk ids shrinks at every level');
    ids = store(Buffer.concat(ids));
  }
  return { level, chunkIds: ids };
}

/** All chunk ids of the stream in order, opening one chunk per level at a time. `load` returns a chunk's plaintext. */
export function* unfoldRoot(root: RootList, load: (chunkId: Buffer) => Buffer): Generator<Buffer, void, undefined> {
  if (root.level > ROOT_LEVELS) throw new BbError('INTEGRITY', 'a root list has too many levels');
  yield* level(root.chunkIds, root.level, load);
}

function* level(
  ids: Iterable<Buffer>,
  depth: number,
  load: (chunkId: Buffer) => Buffer,
): Generator<Buffer, void, undefined> {
  if (depth === 0) yield* ids;
  else yield* level(splitIds(ids, load), depth - 1, load);
}

/** Ids of the list one level below; an id may lie across two chunks of the list. */
function* splitIds(ids: Iterable<Buffer>, load: (chunkId: Buffer) => Buffer): Generator<Buffer, void, undefined> {
  let rest: Buffer = Buffer.alloc(0);
  for (const id of ids) {
    const bytes = Buffer.concat([rest, load(id)]);
    const whole = bytes.length - (bytes.length % CHUNK_ID_BYTES);
    for (let at = 0; at < whole; at += CHUNK_ID_BYTES) yield bytes.subarray(at, at + CHUNK_ID_BYTES);
    rest = bytes.subarray(whole);
  }
  if (rest.length > 0) throw new BbError('INTEGRITY', 'a list of chunk ids is damaged');
}
