// The header as text: JSON with a checksum over all other fields in a fixed order (docs/storage-format.md, "Header file").

import type { Header } from '../ports/data-dir.ts';
import { BbError } from '../core/errors.ts';
import { sha256 } from '../core/crypto/hash.ts';

export const HEADER_MAX_BYTES = 4096;
const FORMAT = 1;
const HEX = /^([0-9a-f]{2})*$/;

export function encodeHeader(header: Header): Buffer {
  const body = bodyOf(header);
  return Buffer.from(`${JSON.stringify({ ...body, checksum: checksum(body) }, null, 2)}\n`);
}

/** Undefined for a damaged copy; INCOMPATIBLE when a newer version wrote it. */
export function decodeHeader(bytes: Buffer): Header | undefined {
  const fields = parseFields(bytes);
  if (fields === undefined) return undefined;
  const format = fields.get('format');
  if (typeof format === 'number' && format > FORMAT) {
    throw new BbError('INCOMPATIBLE', `the data directory has format ${format}, this version knows ${FORMAT}`);
  }
  const createdMs = fields.get('createdMs');
  const mode = fields.get('mode');
  const account = fields.get('account');
  const verify = hexBytes(fields.get('verify'), 16);
  const wrappedWrapKey = hexBytes(fields.get('wrappedWrapKey'), 48);
  const wrappedRowKey = hexBytes(fields.get('wrappedRowKey'), 48);
  if (format !== FORMAT || typeof createdMs !== 'number' || !Number.isSafeInteger(createdMs)) return undefined;
  if (mode !== 'phrase' && mode !== 'password') return undefined;
  if (typeof account !== 'string' || !verify || !wrappedWrapKey || !wrappedRowKey) return undefined;
  const header: Header = { format, createdMs, mode, account, verify, wrappedWrapKey, wrappedRowKey };
  return fields.get('checksum') === checksum(bodyOf(header)) ? header : undefined;
}

function bodyOf(header: Header): Record<string, string | number> {
  return {
    format: header.format,
    createdMs: header.createdMs,
    mode: header.mode,
    account: header.account,
    verify: hex(header.verify),
    wrappedWrapKey: hex(header.wrappedWrapKey),
    wrappedRowKey: hex(header.wrappedRowKey),
  };
}

function checksum(body: Record<string, string | number>): string {
  return sha256(Buffer.from(JSON.stringify(body))).toString('hex');
}

function parseFields(bytes: Buffer): Map<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(bytes.toString('utf8'));
    return typeof value === 'object' && value !== null ? new Map(Object.entries(value)) : undefined;
  } catch {
    return undefined;
  }
}

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex');
}

function hexBytes(value: unknown, lengthBytes: number): Buffer | undefined {
  return typeof value === 'string' && value.length === 2 * lengthBytes && HEX.test(value)
    ? Buffer.from(value, 'hex')
    : undefined;
}
