// The header as text: JSON with a checksum over all other fields in their order (docs/storage-format.md, "Header file").
// Invariant: only a copy with a right checksum is judged by its format; another one is damage, whatever it says.

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

/** Undefined for a damaged copy; INCOMPATIBLE when a newer version wrote it. Fields of later versions are left out. */
export function decodeHeader(bytes: Buffer): Header | undefined {
  const fields = parseFields(bytes);
  if (fields === undefined) return undefined;
  const { checksum: sum, ...body } = fields;
  if (sum !== checksum(body)) return undefined;
  const { format, createdMs, mode, account } = body;
  if (typeof format === 'number' && format > FORMAT) {
    throw new BbError('INCOMPATIBLE', `the data directory has format ${format}, this version knows ${FORMAT}`);
  }
  const verify = hexBytes(body['verify'], 16);
  const wrappedWrapKey = hexBytes(body['wrappedWrapKey'], 48);
  const wrappedRowKey = hexBytes(body['wrappedRowKey'], 48);
  if (format !== FORMAT || typeof createdMs !== 'number' || !Number.isSafeInteger(createdMs)) return undefined;
  if (mode !== 'phrase' && mode !== 'password') return undefined;
  if (typeof account !== 'string' || !verify || !wrappedWrapKey || !wrappedRowKey) return undefined;
  return { format, createdMs, mode, account, verify, wrappedWrapKey, wrappedRowKey };
}

function bodyOf(header: Header): Readonly<Record<string, unknown>> {
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

function checksum(body: Readonly<Record<string, unknown>>): string {
  return sha256(Buffer.from(JSON.stringify(body))).toString('hex');
}

function parseFields(bytes: Buffer): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(bytes.toString('utf8'));
    return typeof value === 'object' && value !== null ? Object.fromEntries(Object.entries(value)) : undefined;
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
