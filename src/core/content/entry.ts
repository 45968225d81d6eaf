// One entry of the file table (docs/storage-format.md, "File table"). It has all fields that later versions need, and
// extension fields that an older reader keeps when it rewrites the entry.
// Invariant: an entry has exactly one encoding; any other byte string is INTEGRITY, so a rewritten table stays equal.

import { BbError } from '../errors.ts';
import {
  CHUNK_MIN_BYTES,
  CONTENT_BYTES,
  ENTRY_BYTES,
  ENTRY_EXTENSIONS,
  ENTRY_HOLES,
  ENTRY_NAME_BYTES,
  ENTRY_XATTRS,
  PATH_BYTES,
  XATTR_VALUE_BYTES,
} from '../limits.ts';
import { ByteReader } from './byte-reader.ts';
import { ByteWriter } from './byte-writer.ts';
import { CHUNK_ID_BYTES } from './chunk-id.ts';
import { isName, validateName } from './path.ts';

/** System records are hidden from listings. */
export const NAMESPACE = { USER: 0, SYSTEM: 1 } as const;
export const ENTRY_KIND = { FILE: 1, FOLDER: 2, SYMLINK: 3, HARD_LINK: 4 } as const;
/** Bits of `marks`. */
export const MARK = { CHANGED_WHILE_READ: 1, UNREADABLE: 2 } as const;
const KNOWN_MARKS = MARK.CHANGED_WHILE_READ | MARK.UNREADABLE;

export type Namespace = (typeof NAMESPACE)[keyof typeof NAMESPACE];
export type EntryKind = (typeof ENTRY_KIND)[keyof typeof ENTRY_KIND];

export type Xattr = { readonly name: Buffer; readonly value: Buffer };
/** A run of zeros that is in no chunk. */
export type Hole = { readonly offset: number; readonly bytes: number };
export type Extension = { readonly tag: number; readonly value: Buffer };

export type Entry = {
  readonly namespace: Namespace;
  readonly kind: EntryKind;
  /** Raw bytes, see path.ts. */
  readonly path: Buffer;
  /** Bytes of a file; 0 for other kinds. */
  readonly size: number;
  readonly mtimeNs: bigint;
  /** Permission bits, 0 to 0o7777. */
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  /** Names of owner and group, empty when unknown. */
  readonly owner: Buffer;
  readonly group: Buffer;
  /** Target of a symlink as stored in it, path of the first name for a hard link, else empty. */
  readonly target: Buffer;
  readonly marks: number;
  /** SHA-256 of a file's bytes, holes included as zeros; empty for other kinds and unreadable files. */
  readonly sha256: Buffer;
  readonly xattrs: readonly Xattr[];
  /** Rising, not touching. */
  readonly holes: readonly Hole[];
  /** Packed, 16 bytes each: the chunks that give the file's bytes without its holes. */
  readonly chunkIds: Buffer;
  /** Fields of later versions, kept as they are; tags rising. */
  readonly extensions: readonly Extension[];
};

/** One record of a table stream: u32 length and body. BAD_NAME for a path that may not be stored. */
export function encodeEntry(entry: Entry): Buffer {
  validateName(entry.path);
  requireConsistent(entry);
  const writer = new ByteWriter()
    .u8(entry.namespace)
    .u8(entry.kind)
    .u16(entry.marks)
    .bytes16(entry.path)
    .natural(entry.size)
    .i64(entry.mtimeNs)
    .u32(entry.mode)
    .u32(entry.uid)
    .u32(entry.gid)
    .bytes16(entry.owner)
    .bytes16(entry.group)
    .bytes16(entry.target)
    .u8(entry.sha256.length)
    .bytes(entry.sha256)
    .u16(entry.xattrs.length);
  for (const { name, value } of entry.xattrs) writer.bytes16(name).bytes32(value);
  writer.u32(entry.holes.length);
  for (const { offset, bytes } of entry.holes) writer.natural(offset).natural(bytes);
  writer.u32(entry.chunkIds.length / CHUNK_ID_BYTES).bytes(entry.chunkIds);
  writer.u16(entry.extensions.length);
  for (const { tag, value } of entry.extensions) writer.u16(tag).bytes32(value);
  return writer.finishRecord();
}

/** The body of a record (without its length). INTEGRITY for any defect, INCOMPATIBLE for an unknown namespace, kind or mark. */
export function decodeEntry(body: Buffer): Entry {
  if (body.length > ENTRY_BYTES) throw broken();
  const reader = new ByteReader(body);
  const namespace = reader.u8();
  const kind = reader.u8();
  const marks = reader.u16();
  if (!isNamespace(namespace) || !isEntryKind(kind) || (marks & ~KNOWN_MARKS) !== 0) {
    throw new BbError('INCOMPATIBLE', 'a file entry was written by a newer version');
  }
  const entry: Entry = {
    namespace,
    kind,
    marks,
    path: reader.bytes16(),
    size: reader.natural(),
    mtimeNs: reader.i64(),
    mode: reader.u32(),
    uid: reader.u32(),
    gid: reader.u32(),
    owner: reader.bytes16(),
    group: reader.bytes16(),
    target: reader.bytes16(),
    sha256: reader.bytes(reader.u8()),
    xattrs: list(reader.u16(), ENTRY_XATTRS, () => ({ name: reader.bytes16(), value: reader.bytes32() })),
    holes: list(reader.u32(), ENTRY_HOLES, () => ({ offset: reader.natural(), bytes: reader.natural() })),
    chunkIds: reader.bytes(CHUNK_ID_BYTES * reader.u32()),
    extensions: list(reader.u16(), ENTRY_EXTENSIONS, () => ({ tag: reader.u16(), value: reader.bytes32() })),
  };
  reader.done();
  requireConsistent(entry);
  return entry;
}

/** INTEGRITY for anything that no entry may say. */
function requireConsistent(entry: Entry): void {
  const isFile = entry.kind === ENTRY_KIND.FILE;
  const isLink = entry.kind === ENTRY_KIND.SYMLINK || entry.kind === ENTRY_KIND.HARD_LINK;
  const chunks = entry.chunkIds.length / CHUNK_ID_BYTES;
  const sound =
    isName(entry.path) &&
    entry.size <= CONTENT_BYTES &&
    entry.mode <= 0o7777 &&
    (entry.marks & ~KNOWN_MARKS) === 0 &&
    entry.owner.length <= ENTRY_NAME_BYTES &&
    entry.group.length <= ENTRY_NAME_BYTES &&
    (isLink ? entry.target.length > 0 && entry.target.length <= PATH_BYTES : entry.target.length === 0) &&
    (entry.sha256.length === 0 || (isFile && entry.sha256.length === 32)) &&
    (isFile || (entry.size === 0 && chunks === 0 && entry.holes.length === 0)) &&
    Number.isInteger(chunks) &&
    chunks <= Math.ceil(entry.size / CHUNK_MIN_BYTES) &&
    areXattrsSound(entry.xattrs) &&
    areHolesSound(entry.holes, entry.size) &&
    isRising(entry.extensions.map((extension) => extension.tag));
  if (!sound) throw broken();
}

function areXattrsSound(xattrs: readonly Xattr[]): boolean {
  return xattrs.every(
    ({ name, value }) => name.length > 0 && name.length <= ENTRY_NAME_BYTES && value.length <= XATTR_VALUE_BYTES,
  );
}

function areHolesSound(holes: readonly Hole[], size: number): boolean {
  let end = -1;
  for (const hole of holes) {
    if (hole.offset <= end || hole.bytes < 1 || hole.offset + hole.bytes > size) return false;
    end = hole.offset + hole.bytes;
  }
  return true;
}

function isRising(tags: readonly number[]): boolean {
  return tags.every((tag, index) => index === 0 || tag > (tags[index - 1] as number));
}

function list<T>(count: number, max: number, read: () => T): T[] {
  if (count > max) throw broken();
  return Array.from({ length: count }, read);
}

function isNamespace(value: number): value is Namespace {
  return value === NAMESPACE.USER || value === NAMESPACE.SYSTEM;
}

function isEntryKind(value: number): value is EntryKind {
  return value >= ENTRY_KIND.FILE && value <= ENTRY_KIND.HARD_LINK;
}

function broken(): BbError {
  return new BbError('INTEGRITY', 'a file entry is damaged');
}
