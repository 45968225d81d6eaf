// Small makers shared by the storage suites: folders, random bytes that repeat, peers, revisions.

import { createHash } from 'node:crypto';
import * as fs from 'node:fs';
import { tmpdir } from 'node:os';
import type { TestContext } from 'node:test';
import { leafHash } from '../../src/core/content/merkle.ts';
import { onionIdFromPubkey } from '../../src/core/ids.ts';
import type { OnionId } from '../../src/core/ids.ts';
import { CELL_BYTES } from '../../src/core/limits.ts';
import type { RevisionRow } from '../../src/ports/catalog.ts';
import type { CellToAppend } from '../../src/ports/cell-store.ts';

/** A fresh folder, removed after the test. */
export function tempDir(context: TestContext): string {
  const dir = fs.mkdtempSync(`${tmpdir()}/bb-storage-`);
  context.after(() => fs.rmSync(dir, { recursive: true, force: true }));
  return dir;
}

/** Bytes that depend on the seed only. */
export function bytesOf(seed: string, length: number): Buffer {
  const out = Buffer.alloc(length);
  for (let at = 0; at < length; at += 32) createHash('sha256').update(`${seed}/${at}`).digest().copy(out, at);
  return out;
}

/** A counter instead of chance: no two results are equal. */
export function countingRandom(seed = 'random'): { bytes(count: number): Buffer } {
  let calls = 0;
  return { bytes: (count) => bytesOf(`${seed}/${calls++}`, count) };
}

export function peerOf(seed: string): OnionId {
  return onionIdFromPubkey(bytesOf(`peer ${seed}`, 32));
}

export function cellOf(seed: string): CellToAppend {
  const bytes = bytesOf(`cell ${seed}`, CELL_BYTES);
  return { kind: 1, address: bytesOf(`address ${seed}`, 32), leaf: leafHash(bytes), bytes };
}

export function revisionOf(
  sequence: number,
  counts: { readonly indexCells: number; readonly dataCells: number; readonly headCells?: number },
): RevisionRow {
  return {
    contentId: bytesOf(`revision ${sequence}`, 64),
    generation: 0,
    sequence,
    createdMs: 1_000 * sequence,
    headCells: counts.headCells ?? 1,
    indexCells: counts.indexCells,
    dataCells: counts.dataCells,
    fileCount: 2,
    fileBytes: 3,
    metadata: bytesOf(`metadata ${sequence}`, 500),
  };
}
