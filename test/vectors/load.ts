// Reads a vector file, and makes the bytes it describes. Uses node:crypto only, so that a fault of src or of plain/ shows.

import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { Change } from './plain/malformed.ts';

/** Parsed JSON of any shape: the tests name the fields they read. */
export type Vector = ReturnType<typeof JSON.parse>;

/** A vector file of this folder by its name without ".json". */
export function loadVectors(name: string): Vector {
  return JSON.parse(readFileSync(new URL(`${name}.json`, import.meta.url), 'utf8'));
}

export function unhex(text: string): Buffer {
  return Buffer.from(text, 'hex');
}

/** SHA-256(word || u32 i) for i = 0, 1, 2 ... cut to `bytes`. */
export function recipe(word: string, bytes: number): Buffer {
  const blocks: Buffer[] = [];
  for (let i = 0; 32 * i < bytes; i++) {
    const index = Buffer.alloc(4);
    index.writeUInt32BE(i);
    blocks.push(createHash('sha256').update(word).update(index).digest());
  }
  return Buffer.concat(blocks).subarray(0, bytes);
}

/** The changed byte string of a must-fail vector. */
export function applyChange(good: Buffer, change: Change): Buffer {
  if ('cut' in change) return Buffer.from(good.subarray(0, change.cut));
  if ('append' in change) return Buffer.concat([good, unhex(change.append)]);
  const changed = Buffer.from(good);
  unhex(change.set).copy(changed, change.at);
  return changed;
}
