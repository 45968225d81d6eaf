// content_id and head.

import { aessiv, ctr } from '@noble/ciphers/aes.js';
import { ascii, be, join, readBe, same } from './bytes.ts';
import { CELL } from './cells.ts';
import type { Keys } from './keys.ts';

export type Revision = {
  generation: number;
  sequence: number;
  createdMs: number;
  nonce: Uint8Array;
  metaBytes: number;
  cellCount: number;
};

export function encodeRevision(r: Revision): Uint8Array {
  return join(
    be(1, 1),
    be(0, 1),
    be(r.generation, 4),
    be(r.sequence, 8),
    be(r.createdMs, 8),
    r.nonce,
    be(r.metaBytes, 4),
    be(r.cellCount, 4),
    be(17, 1),
    be(0, 1),
  );
}

export function sealId(keys: Keys, revision: Uint8Array): Uint8Array {
  return aessiv(keys('bb1/cid/siv'), ascii('bb1/cid')).encrypt(revision);
}

export function openId(keys: Keys, contentId: Uint8Array): Revision {
  const bytes = aessiv(keys('bb1/cid/siv'), ascii('bb1/cid')).decrypt(contentId);
  return {
    generation: readBe(bytes, 2, 4),
    sequence: readBe(bytes, 6, 8),
    createdMs: readBe(bytes, 14, 8),
    nonce: bytes.slice(22, 38),
    metaBytes: readBe(bytes, 38, 4),
    cellCount: readBe(bytes, 42, 4),
  };
}

function segmentsOf(metaBytes: number): number {
  return Math.max(1, Math.ceil(metaBytes / 65_536));
}

export function headCells(metaBytes: number): number {
  return Math.ceil((72 + metaBytes + 16 * segmentsOf(metaBytes)) / CELL);
}

function segmentCipher(keys: Keys, contentId: Uint8Array, copy: number, segment: number, last: boolean) {
  const aad = join(ascii('bb1/meta'), contentId, be(copy, 1), be(segment, 4), be(last ? 1 : 0, 1));
  return aessiv(keys('bb1/meta/siv'), aad);
}

export function sealHead(keys: Keys, contentId: Uint8Array, copy: 0 | 1, metadata: Uint8Array): Uint8Array {
  const count = segmentsOf(metadata.length);
  const parts = [ascii('BBC1'), be(1, 1), be(0, 3), contentId];
  for (let i = 0; i < count; i++) {
    const plain = metadata.slice(65_536 * i, 65_536 * (i + 1));
    parts.push(segmentCipher(keys, contentId, copy, i, i === count - 1).encrypt(plain));
  }
  const used = join(...parts);
  const fillBytes = headCells(metadata.length) * CELL - used.length;
  if (fillBytes === 0) return used;
  const iv = contentId.slice(16 * copy, 16 * copy + 16);
  return join(used, ctr(keys('bb1/fill'), iv).encrypt(new Uint8Array(fillBytes)));
}

/** Throws when the head is not that of its content_id. */
export function openHead(keys: Keys, head: Uint8Array, copy: 0 | 1): Uint8Array {
  if (!same(head.slice(0, 8), join(ascii('BBC1'), be(1, 1), be(0, 3)))) throw new Error('this is not a head');
  const contentId = head.slice(8, 72);
  const { metaBytes } = openId(keys, contentId);
  const count = segmentsOf(metaBytes);
  const parts: Uint8Array[] = [];
  for (let i = 0, at = 72; i < count; i++) {
    const sealedBytes = 16 + Math.min(65_536, metaBytes - 65_536 * i);
    parts.push(segmentCipher(keys, contentId, copy, i, i === count - 1).decrypt(head.slice(at, at + sealedBytes)));
    at += sealedBytes;
  }
  return join(...parts);
}
