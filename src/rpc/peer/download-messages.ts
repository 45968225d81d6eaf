// Download on the wire: what is asked, and one message of the answer (docs/protocol.md, "Methods").

import {
  BLOB_CELLS,
  CELL_BYTES,
  DOWNLOAD_SECTION_BYTES,
  LEAVES_PER_SECTION,
  RPC_MESSAGE_BYTES,
  RPC_REQUEST_BYTES,
} from '../../core/limits.ts';
import { PeerRefusal } from '../../core/refusal.ts';
import { DownloadRequest as WireRequest, DownloadResponse } from '../../gen/bbrpc/v1/bbrpc.ts';
import type { DownloadRequest, DownloadSection } from '../../ports/peer-client.ts';
import { messageCodec } from '../message-codec.ts';
import { boundedBytes, exactBytes, exactOrEmpty, MalformedMessage, wholeCells } from '../wire-checks.ts';
import { CONTENT_ID_BYTES } from './revision-messages.ts';

const LEAF_BYTES = 32;

export const downloadRequest = messageCodec<WireRequest, DownloadRequest>(WireRequest, {
  maxBytes: RPC_REQUEST_BYTES,
  shape: {},
  toWire: (request) => ({ ...request, offset: BigInt(request.offset), length: BigInt(request.length) }),
  fromWire: (wire) => ({
    contentId: exactBytes(wire.contentId, CONTENT_ID_BYTES, 'content_id'),
    offset: askedCells(wire.offset),
    length: askedCells(wire.length),
    referenceContentId: exactOrEmpty(wire.referenceContentId, CONTENT_ID_BYTES, 'reference_content_id'),
    repair: wire.repair,
    leaves: wire.leaves,
  }),
});

export const downloadResponse = messageCodec<DownloadResponse, DownloadSection>(DownloadResponse, {
  maxBytes: RPC_MESSAGE_BYTES,
  shape: { 3: {}, 4: {}, 5: {} },
  toWire: sectionToWire,
  fromWire: sectionOf,
});

function askedCells(value: bigint): number {
  if (value < 0n || value > BigInt(BLOB_CELLS * CELL_BYTES) || value % BigInt(CELL_BYTES) !== 0n) {
    throw new PeerRefusal('BAD_RANGE');
  }
  return Number(value);
}

function sectionToWire(section: DownloadSection): DownloadResponse {
  const wire: DownloadResponse = { totalLength: 0n, sha256: Buffer.alloc(0) };
  switch (section.kind) {
    case 'head':
      return { totalLength: BigInt(section.totalBytes), sha256: section.root };
    case 'raw':
      return { ...wire, rawBytes: { value: section.bytes } };
    case 'reference':
      return {
        ...wire,
        reference: { offsetInReference: BigInt(section.offsetBytes), length: BigInt(section.lengthBytes) },
      };
    case 'leaves':
      return { ...wire, leaves: { value: section.leaves } };
  }
}

function sectionOf(wire: DownloadResponse): DownloadSection {
  const { rawBytes, reference, leaves } = wire;
  const parts = [rawBytes, reference, leaves].filter((part) => part !== undefined).length;
  if (parts > 1) throw new MalformedMessage('a message has more than one section');
  if (parts === 0) {
    return {
      kind: 'head',
      totalBytes: wholeCells(wire.totalLength, 'total_length', BLOB_CELLS),
      root: exactBytes(wire.sha256, LEAF_BYTES, 'sha256'),
    };
  }
  if (wire.totalLength !== 0n || wire.sha256.length > 0) throw new MalformedMessage('a section repeats the head');
  if (rawBytes !== undefined) {
    return { kind: 'raw', bytes: boundedBytes(rawBytes.value, 1, DOWNLOAD_SECTION_BYTES, 'raw_bytes') };
  }
  if (leaves !== undefined) {
    boundedBytes(leaves.value, LEAF_BYTES, LEAVES_PER_SECTION * LEAF_BYTES, 'leaves');
    if (leaves.value.length % LEAF_BYTES !== 0) throw new MalformedMessage('leaves has half a leaf');
    return { kind: 'leaves', leaves: leaves.value };
  }
  const lengthBytes = wholeCells(reference?.length ?? 0n, 'length', BLOB_CELLS);
  if (lengthBytes === 0) throw new MalformedMessage('a reference is empty');
  return {
    kind: 'reference',
    offsetBytes: wholeCells(reference?.offsetInReference ?? 0n, 'offset_in_reference', BLOB_CELLS),
    lengthBytes,
  };
}
