// Is the journal of the catalog (state.db-wal) whole? SQLite ends it silently at the first frame that does not fit, which is right
// for a write that a crash cut off and wrong for one that rotted: commits behind it, which were acknowledged, would be gone.
// A crash can cut off the last transaction only, because each one is on the disk before the next begins (synchronous = FULL).
// Format: https://sqlite.org/fileformat2.html, "The Write-Ahead Log".

import * as fs from 'node:fs';

const HEADER_BYTES = 32;
const FRAME_HEADER_BYTES = 24;
/** SQLite's default, with which every catalog is made; the number in the header may be what is damaged. */
const PAGE_BYTES = 4096;
const FRAME_BYTES = FRAME_HEADER_BYTES + PAGE_BYTES;
const MAGIC_LITTLE = 0x377f0682;
const SALT_AT = 16;
const FRAME_SALT_AT = 8;
const FRAME_CHECK_AT = 16;

type Check = readonly [number, number];

/** True when a transaction is damaged behind which another one was begun. Reads the whole journal, 16 MiB as a rule. */
export function isJournalDamaged(path: string): boolean {
  const wal = fs.existsSync(path) ? fs.readFileSync(path) : Buffer.alloc(0);
  if (wal.length <= HEADER_BYTES + FRAME_HEADER_BYTES) return false;
  const frames = Math.floor((wal.length - HEADER_BYTES) / FRAME_BYTES);
  const salt = wal.subarray(HEADER_BYTES + FRAME_SALT_AT, HEADER_BYTES + FRAME_CHECK_AT);
  const first = brokenFrame(wal, frames);
  let isCommitSeen = false;
  for (let frame = first; frame < frames; frame++) {
    const at = HEADER_BYTES + frame * FRAME_BYTES;
    const header = wal.subarray(at, at + FRAME_HEADER_BYTES);
    const isOfThisJournal = header.subarray(FRAME_SALT_AT, FRAME_CHECK_AT).equals(salt);
    if (isOfThisJournal && isCommitSeen) return true;
    if (isOfThisJournal && header.readUInt32BE(4) !== 0) isCommitSeen = true;
  }
  return false;
}

/** The first frame that SQLite will not take, 0 when the header is damaged; `frames` when all are good. */
function brokenFrame(wal: Buffer, frames: number): number {
  const isLittle = wal.readUInt32BE(0) === MAGIC_LITTLE;
  const salt = wal.subarray(SALT_AT, SALT_AT + 8);
  let check = checksum(wal, 0, HEADER_BYTES - 8, isLittle, [0, 0]);
  if (!isChecksum(wal, HEADER_BYTES - 8, check)) return 0;
  for (let frame = 0; frame < frames; frame++) {
    const at = HEADER_BYTES + frame * FRAME_BYTES;
    check = checksum(wal, at, FRAME_SALT_AT, isLittle, check);
    check = checksum(wal, at + FRAME_HEADER_BYTES, PAGE_BYTES, isLittle, check);
    const isSalt = wal.subarray(at + FRAME_SALT_AT, at + FRAME_CHECK_AT).equals(salt);
    if (!isSalt || !isChecksum(wal, at + FRAME_CHECK_AT, check)) return frame;
  }
  return frames;
}

function checksum(bytes: Buffer, from: number, length: number, isLittle: boolean, start: Check): Check {
  let [a, b] = start;
  for (let at = from; at < from + length; at += 8) {
    a = (a + (isLittle ? bytes.readUInt32LE(at) : bytes.readUInt32BE(at)) + b) >>> 0;
    b = (b + (isLittle ? bytes.readUInt32LE(at + 4) : bytes.readUInt32BE(at + 4)) + a) >>> 0;
  }
  return [a, b];
}

function isChecksum(bytes: Buffer, at: number, [a, b]: Check): boolean {
  return bytes.readUInt32BE(at) === a && bytes.readUInt32BE(at + 4) === b;
}
