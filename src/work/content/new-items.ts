// What a change brings in, in table order: entries with their final names, and for files a way to read their bytes.

import { ENTRY_KIND, NAMESPACE } from '../../core/content/entry.ts';
import type { Entry } from '../../core/content/entry.ts';
import { validateName } from '../../core/content/path.ts';
import { BbError } from '../../core/errors.ts';
import { CONTENT_BYTES } from '../../core/limits.ts';
import { readSourceFile } from '../../storage/source/read-file.ts';
import type { ReadEnd } from '../../storage/source/read-file.ts';
import { walk } from '../../storage/source/walk.ts';
import type { Inode, WalkedEntry } from '../../storage/source/walk.ts';

export type NewItem = {
  /** Without size, hash and chunks of a file. */
  readonly entry: Entry;
  /** Undefined for what is not a file. */
  readonly file: NewFile | undefined;
};

export type NewFile = {
  readonly sizeBytes: number;
  /** Last change of bytes or attributes, undefined when unknown. */
  readonly ctimeNs: bigint | undefined;
  /** Blocks that are valid until the next is asked for. */
  read(signal: AbortSignal): AsyncGenerator<Buffer, ReadEnd>;
};

/** What is at this name is not stored: a socket, a device, something that vanished, or what cannot be looked at. */
export type LeftOut = {
  readonly entry: undefined;
  readonly file: undefined;
  readonly name: Buffer;
  /** Nobody can tell now what is at the name and below it: what is stored there stays. */
  readonly isUnseen: boolean;
};

export type WalkedItem = NewItem | LeftOut;

const EMPTY = Buffer.alloc(0);
const SLASH = Buffer.from('/');

/** A file, link or folder tree on disk as `name`, without the folder `except`. NOT_FOUND, BAD_NAME. */
export async function* itemsOnDisk(
  path: Buffer,
  name: Buffer,
  except: Inode,
  signal: AbortSignal,
): AsyncGenerator<WalkedItem> {
  for await (const walked of walk(path, signal, except)) {
    const stored = walked.path.length === 0 ? name : Buffer.concat([name, SLASH, walked.path]);
    if (walked.kind !== 'skipped') yield itemOf(walked, stored);
    else yield { entry: undefined, file: undefined, name: stored, isUnseen: walked.reason === 'unseen' };
  }
}

/** One file whose bytes are streamed in. */
export function itemOfStream(name: Buffer, mode: number, nowMs: number, bytes: AsyncIterable<unknown>): NewItem {
  validateName(name);
  const entry = entryOf(name, {
    kind: ENTRY_KIND.FILE,
    mtimeNs: BigInt(nowMs) * 1_000_000n,
    mode: mode & 0o7777,
    uid: 0,
    gid: 0,
    target: EMPTY,
  });
  return { entry, file: { sizeBytes: 0, ctimeNs: undefined, read: (signal) => readStream(bytes, signal) } };
}

async function* readStream(bytes: AsyncIterable<unknown>, signal: AbortSignal): AsyncGenerator<Buffer, ReadEnd> {
  for await (const block of bytes) {
    signal.throwIfAborted();
    if (!Buffer.isBuffer(block)) throw new BbError('INTERNAL', 'a stream of bytes holds something else');
    yield block;
  }
  return 'unchanged';
}

function itemOf(walked: WalkedEntry, name: Buffer): NewItem {
  validateName(name);
  const entry = entryOf(name, walked);
  if (walked.kind !== ENTRY_KIND.FILE) return { entry, file: undefined };
  if (walked.size > CONTENT_BYTES) throw new BbError('TOO_LARGE', 'a file is larger than the largest content');
  const file = {
    sizeBytes: walked.size,
    ctimeNs: walked.ctimeNs,
    read: (signal: AbortSignal) => readSourceFile(walked.diskPath, signal),
  };
  return { entry, file };
}

function entryOf(path: Buffer, from: Pick<Entry, 'kind' | 'mtimeNs' | 'mode' | 'uid' | 'gid' | 'target'>): Entry {
  const { kind, mtimeNs, mode, uid, gid, target } = from;
  return {
    namespace: NAMESPACE.USER,
    kind,
    path,
    size: 0,
    mtimeNs,
    mode,
    uid,
    gid,
    owner: EMPTY,
    group: EMPTY,
    target,
    marks: 0,
    sha256: EMPTY,
    xattrs: [],
    holes: [],
    chunkIds: EMPTY,
    extensions: [],
  };
}
