// The head: sealed Metadata at both ends of a blob (docs/storage-format.md, "Head"). The two copies are equal in meaning
// and different in every sealed byte, so that one lost cell never makes a replica useless.
// Layout: "BBC1" | version u8 | 3 zero | content_id 64 | segments (each 16 + at most 65 536) | fill to a cell boundary.

import { invariant } from '../errors.ts';
import { CELL_BYTES, METADATA_BYTES, METADATA_SEGMENT_BYTES } from '../limits.ts';
import { aesCtr } from './aes-ctr.ts';
import { SIV_BYTES, sivOpen, sivSeal } from './aes-siv.ts';
import { CONTENT_ID_BYTES } from './content-id.ts';

export type HeadKeys = { readonly metaSiv: Uint8Array; readonly fill: Uint8Array };
export type HeadCopy = 0 | 1;

const MAGIC = Buffer.from([0x42, 0x42, 0x43, 0x31, 1, 0, 0, 0]);
const HEADER_BYTES = MAGIC.length + CONTENT_ID_BYTES;
const AAD = Buffer.from('bb1/meta');

/** Cells of one head copy for `metaBytes` of encoded Metadata (0 to METADATA_BYTES). */
export function headCellCount(metaBytes: number): number {
  return Math.ceil((HEADER_BYTES + metaBytes + SIV_BYTES * segmentCount(metaBytes)) / CELL_BYTES);
}

/** One head copy: a whole number of cells, reproducible from the same arguments. */
export function sealHead(keys: HeadKeys, contentId: Uint8Array, copy: HeadCopy, metadata: Uint8Array): Buffer {
  invariant(contentId.length === CONTENT_ID_BYTES && metadata.length <= METADATA_BYTES, 'a head is within its bounds');
  const head = Buffer.alloc(headCellCount(metadata.length) * CELL_BYTES);
  MAGIC.copy(head);
  head.set(contentId, MAGIC.length);
  let at = HEADER_BYTES;
  const segments = segmentCount(metadata.length);
  for (let segment = 0; segment < segments; segment++) {
    const start = segment * METADATA_SEGMENT_BYTES;
    const plain = metadata.subarray(start, start + METADATA_SEGMENT_BYTES);
    at += sivSeal(keys.metaSiv, segmentAad(contentId, copy, segment, segments), plain).copy(head, at);
  }
  aesCtr(keys.fill, contentId.subarray(16 * copy, 16 * copy + 16), head.subarray(at)).copy(head, at);
  return head;
}

/** What the first cell of a head copy says it is the head of; undefined for any other cell. */
export function contentIdOfHead(cell: Uint8Array): Buffer | undefined {
  if (!MAGIC.equals(cell.subarray(0, MAGIC.length))) return undefined;
  return Buffer.from(cell.subarray(MAGIC.length, HEADER_BYTES));
}

/**
 * The Metadata bytes of a head copy, or undefined when it is damaged. `metaBytes` comes from the opened content_id. The
 * fill is not looked at: whoever needs the exact cells seals them again.
 */
export function openHead(
  keys: HeadKeys,
  contentId: Uint8Array,
  copy: HeadCopy,
  metaBytes: number,
  head: Uint8Array,
): Buffer | undefined {
  if (metaBytes > METADATA_BYTES || head.length !== headCellCount(metaBytes) * CELL_BYTES) return undefined;
  if (!MAGIC.equals(head.subarray(0, MAGIC.length))) return undefined;
  if (!Buffer.from(contentId).equals(head.subarray(MAGIC.length, HEADER_BYTES))) return undefined;
  const metadata = Buffer.alloc(metaBytes);
  const segments = segmentCount(metaBytes);
  for (let segment = 0, at = HEADER_BYTES; segment < segments; segment++) {
    const start = segment * METADATA_SEGMENT_BYTES;
    const sealedBytes = SIV_BYTES + Math.min(METADATA_SEGMENT_BYTES, metaBytes - start);
    const aad = segmentAad(contentId, copy, segment, segments);
    const plain = sivOpen(keys.metaSiv, aad, head.subarray(at, at + sealedBytes));
    if (plain === undefined) return undefined;
    plain.copy(metadata, start);
    at += sealedBytes;
  }
  return metadata;
}

function segmentCount(metaBytes: number): number {
  return Math.max(1, Math.ceil(metaBytes / METADATA_SEGMENT_BYTES));
}

function segmentAad(contentId: Uint8Array, copy: HeadCopy, segment: number, segments: number): Buffer {
  const tail = Buffer.alloc(6);
  tail.writeUInt8(copy, 0);
  tail.writeUInt32BE(segment, 1);
  tail.writeUInt8(segment === segments - 1 ? 1 : 0, 5);
  return Buffer.concat([AAD, contentId, tail]);
}
