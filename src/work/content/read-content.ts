// Reads committed content: entries of the file table, and the bytes of files, checked against their hash.

import { CHUNK_ID_BYTES } from '../../core/content/chunk-id.ts';
import { NAMESPACE } from '../../core/content/entry.ts';
import type { Entry } from '../../core/content/entry.ts';
import { isAtOrBelow } from '../../core/content/path.ts';
import { startSha256 } from '../../core/crypto/hash.ts';
import { BbError } from '../../core/errors.ts';
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
    for (const id of splitBytes(entry.chunkIds, CHUNK_ID_BYTES)) {
      const bytes = await own.committed.load(id);
      hash.update(bytes);
      yield { kind: 'data', bytes };
    }
    if (entry.sha256.length > 0 && !hash.digest().equals(entry.sha256)) {
      throw new BbError('INTEGRITY', 'a file is not what it was when it was stored');
    }
  }
}
