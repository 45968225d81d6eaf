// Entries and their bytes for local programs, in messages of bounded size.

import { ENTRY_KIND } from '../../core/content/entry.ts';
import type { Entry, EntryKind } from '../../core/content/entry.ts';
import { LOCAL_DATA_BYTES, LOCAL_LIST_BYTES } from '../../core/limits.ts';
import { EntryKind as WireKind } from '../../gen/clirpc/v1/clirpc.ts';
import type { Entry as EntryMessage, GetFileResponse, ListFilesResponse } from '../../gen/clirpc/v1/clirpc.ts';
import type { ReadItem } from '../../ports/workers.ts';

/** Fields of fixed size in one entry, generously. */
const ENTRY_OVERHEAD_BYTES = 128;

const KINDS: Readonly<Record<EntryKind, WireKind>> = {
  [ENTRY_KIND.FILE]: WireKind.ENTRY_KIND_FILE,
  [ENTRY_KIND.FOLDER]: WireKind.ENTRY_KIND_FOLDER,
  [ENTRY_KIND.SYMLINK]: WireKind.ENTRY_KIND_SYMLINK,
  [ENTRY_KIND.HARD_LINK]: WireKind.ENTRY_KIND_HARDLINK,
};

export function entryMessage(entry: Entry): EntryMessage {
  return {
    name: entry.path,
    kind: KINDS[entry.kind],
    size: BigInt(entry.size),
    mtimeNs: entry.mtimeNs,
    mode: entry.mode,
    target: entry.target,
    sha256: entry.sha256,
    marks: entry.marks,
    uid: entry.uid,
    gid: entry.gid,
  };
}

/** One message for an entry; bytes in pieces of LOCAL_DATA_BYTES. */
export async function* fileMessages(items: AsyncIterable<ReadItem>): AsyncGenerator<GetFileResponse> {
  for await (const item of items) {
    if (item.kind === 'entry') {
      yield { entry: entryMessage(item.entry) };
      continue;
    }
    for (let from = 0; from < item.bytes.length; from += LOCAL_DATA_BYTES) {
      yield { data: item.bytes.subarray(from, from + LOCAL_DATA_BYTES) };
    }
  }
}

/** Batches are cut so that a message stays below LOCAL_LIST_BYTES, however long the names are. */
export async function* listMessages(batches: AsyncIterable<readonly Entry[]>): AsyncGenerator<ListFilesResponse> {
  for await (const batch of batches) {
    let entries: EntryMessage[] = [];
    let bytes = 0;
    for (const entry of batch) {
      // The name is sent twice: the seed's list of names, and the entry.
      const entryBytes = 2 * entry.path.length + entry.target.length + ENTRY_OVERHEAD_BYTES;
      if (entries.length > 0 && bytes + entryBytes > LOCAL_LIST_BYTES) {
        yield listMessage(entries);
        entries = [];
        bytes = 0;
      }
      entries.push(entryMessage(entry));
      bytes += entryBytes;
    }
    if (entries.length > 0) yield listMessage(entries);
  }
}

function listMessage(entries: EntryMessage[]): ListFilesResponse {
  return { name: entries.map((entry) => entry.name), entries };
}
