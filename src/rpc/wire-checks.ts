// Checks of decoded fields. A peer chooses every byte of a message, so no field is used before one of these has passed:
// lengths exactly, numbers in range (as bigint, before they become a number), words from a closed list.

import { CELL_BYTES } from '../core/limits.ts';

/** A message that breaks the protocol. Its text is for our own log and never travels. */
export class MalformedMessage extends Error {
  override readonly name = 'MalformedMessage';
}

/** The value if it has exactly so many bytes. */
export function exactBytes(value: Buffer, bytes: number, field: string): Buffer {
  if (value.length !== bytes) throw new MalformedMessage(`${field} must have ${bytes} bytes`);
  return value;
}

/** The value if it is empty or has exactly so many bytes. */
export function exactOrEmpty(value: Buffer, bytes: number, field: string): Buffer {
  return value.length === 0 ? value : exactBytes(value, bytes, field);
}

/** The value if its length is in [minBytes, maxBytes]. */
export function boundedBytes(value: Buffer, minBytes: number, maxBytes: number, field: string): Buffer {
  if (value.length < minBytes || value.length > maxBytes) {
    throw new MalformedMessage(`${field} must have ${minBytes} to ${maxBytes} bytes`);
  }
  return value;
}

/** A number in [0, max]; `max` is at most 2^53-1, so nothing is rounded. */
export function wireNumber(value: bigint, field: string, max: number = Number.MAX_SAFE_INTEGER): number {
  if (value < 0n || value > BigInt(max)) throw new MalformedMessage(`${field} is out of range`);
  return Number(value);
}

/** A byte count of whole cells in [0, maxCells cells]. */
export function wholeCells(value: bigint, field: string, maxCells: number): number {
  const bytes = wireNumber(value, field, maxCells * CELL_BYTES);
  if (bytes % CELL_BYTES !== 0) throw new MalformedMessage(`${field} is not a whole number of cells`);
  return bytes;
}

/** The value if it is in [min, max]. */
export function inRange(value: number, min: number, max: number, field: string): number {
  if (!(value >= min && value <= max)) throw new MalformedMessage(`${field} is out of range`);
  return value;
}

/** The list if it has at most `max` elements. */
export function atMost<T>(list: readonly T[], max: number, field: string): readonly T[] {
  if (list.length > max) throw new MalformedMessage(`${field} has more than ${max} elements`);
  return list;
}

/** The word of an enum number; a number that is not in the table is an error, never a default. */
export function knownWord<T>(words: ReadonlyMap<number, T>, value: number, field: string): T {
  if (!words.has(value)) throw new MalformedMessage(`${field} has an unknown value`);
  return words.get(value) as T;
}
