// Bytes that rot on a disk, in a way that only whoever reads them whole can tell.

import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { CELL_BYTES, PACK_HEADER_BYTES, PACK_SLOT_BYTES } from '../../../src/core/limits.ts';

/** One byte in each 4 KiB of every cell of these packs; the trailers of the slots stay, so that a start notices nothing. */
export function rot(dir: string): void {
  assert.ok(existsSync(dir));
  for (const name of readdirSync(dir)) {
    const path = join(dir, name);
    const bytes = readFileSync(path);
    for (let slot = PACK_HEADER_BYTES; slot < bytes.length; slot += PACK_SLOT_BYTES) {
      for (let at = slot; at < slot + CELL_BYTES; at += 4096) bytes[at] = (bytes[at] ?? 0) ^ 0x5a;
    }
    writeFileSync(path, bytes);
  }
}
