// Values of sealed rows as canonical JSON: keys in order, Buffers as {"$b": base64}, undefined fields left out. Equal
// values give equal bytes.

import { BbError } from '../../core/errors.ts';

/** Plain data only: anything else is a bug of the caller. */
export function encodePlain(value: unknown): Buffer {
  return Buffer.from(JSON.stringify(toJson(value)), 'utf8');
}

/** INTEGRITY when the bytes are not JSON. */
export function decodePlain(bytes: Buffer): unknown {
  try {
    return fromJson(JSON.parse(bytes.toString('utf8')));
  } catch (cause) {
    throw new BbError('INTEGRITY', 'a sealed row of the catalog cannot be read', { cause });
  }
}

function toJson(value: unknown): unknown {
  if (value instanceof Uint8Array) return { $b: Buffer.from(value).toString('base64') };
  if (Array.isArray(value)) return value.map(toJson);
  if (typeof value !== 'object' || value === null) return value;
  const fields = Object.entries(value).filter(([, field]) => field !== undefined);
  fields.sort(([a], [b]) => (a < b ? -1 : 1));
  return Object.fromEntries(fields.map(([name, field]) => [name, toJson(field)]));
}

function fromJson(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(fromJson);
  if (typeof value !== 'object' || value === null) return value;
  if ('$b' in value && typeof value.$b === 'string') return Buffer.from(value.$b, 'base64');
  return Object.fromEntries(Object.entries(value).map(([name, field]) => [name, fromJson(field)]));
}
