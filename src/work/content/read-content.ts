// Reads committed content: entries of the file table, and the bytes of files, checked against their hash.

import { CHUNK_ID_BYTES } from '../../core/content/chunk-id.ts';
import { NAMESPACE } from '../../core/content/entry.ts';
import type { Entry } from '../../core/content/entry.ts';
import { isAtOrBelow } from '../../core/content/path.ts';
import { startSha256 } from '../../core/crypto/hash.ts';
import { BbError } from '../../core/errors.ts';
import { LOCAL_DATA_BYTES } from '../../core/limits.ts';
import type { RevisionRow } from '../../ports/catalog.ts';
import type { ReadItem } from '../../ports/workers.ts';
import { splitBytes } from './byte-list.ts';
import { metadataOf } from './own-content.ts';
import type { OwnContent } from './own-content.ts';
import { readSnapshot, tableEntries } from './stored-streams.ts';

/** User entries at or below `name` (empty: all) in table order. */
export async function* entriesBelow(own: OwnContent, row: RevisionRow, name: Buffer): AsyncGenerator<Entry> {
  const cells = own.committed;
  const snapshot = await readSnapshot(cells, metadataOf(row).indexRoot);
  let isInside = false;
  for await (const entry of tableEntries(cells, snapshot)) {
    const isWanted = entry.namespace === NAMESPACE.USER && isAtOrBelow(entry.path, name);
    if (isWanted) yield entry;
    // In table order what is at or below a name stands together.
    else if (isInside) return;
    isInside = isWanted;
  }
}

/** The same with the bytes of each file; INTEGRITY when they are not those that were stored. */
export async function* itemsBelow(own: OwnContent, row: RevisionRow, name: Buffer): AsyncGenerator<ReadItem> {
  for await (const entry of entriesBelow(own, row, name)) {
    yield { kind: 'entry', entry };
    const hash = startSha256();
    for await (const bytes of largerPieces(own, entry.chunkIds)) {
      hash.update(bytes);
      yield { kind: 'data', bytes };
    }
    if (entry.sha256.length > 0 && !hash.digest().equals(entry.sha256)) {
      throw new BbError('INTEGRITY', 'a file is not what it was when it was stored');
    }
  }
}

/** Chunks are small and each message between threads costs garbage that is not freed at once, so some travel together. */
async function* largerPieces(own: OwnContent, chunkIds: Buffer): AsyncGenerator<Buffer> {
  let waiting: Buffer[] = [];
  let waitingBytes = 0;
  for (const id of splitBytes(chunkIds, CHUNK_ID_BYTES)) {
    const bytes = await own.committed.load(id);
    if (waitingBytes + bytes.length > LOCAL_DATA_BYTES && waitingBytes > 0) {
      yield Buffer.concat(waiting);
      waiting = [];
      waitingBytes = 0;
    }
    waiting.push(bytes);
    waitingBytes += bytes.length;
  }
  if (waitingBytes > 0) yield Buffer.concat(waiting);
}
