// The memory adapters of the simulator keep the same suites as the ones on a real disk: what runs in a simulated year
// runs on ports that behave like those of a real day.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { leafHash } from '../../src/core/content/merkle.ts';
import { CELL_BYTES } from '../../src/core/limits.ts';
import { catalogSuite } from '../contract/catalog-suite.ts';
import { cellStoreSuite } from '../contract/cell-store-suite.ts';
import { CellBank } from './cell-bank.ts';
import { sealData } from './content.ts';
import { memoryDisk } from './memory-disk.ts';
import { MemoryCells } from './memory-cells.ts';
import { keyOf, SimDisk } from './sim-disk.ts';

catalogSuite('memory', memoryDisk);

cellStoreSuite('memory', () => {
  const disk = new SimDisk();
  return { make: () => new MemoryCells(disk, new CellBank()) };
});

test('the bank of cells gives back byte for byte what it cannot make again', () => {
  const bank = new CellBank();
  const data = sealData(Buffer.alloc(32, 1), 'x'.repeat(32));
  const sealed = Buffer.alloc(CELL_BYTES, 7);
  for (const bytes of [data, sealed, Buffer.alloc(CELL_BYTES)]) {
    const leaf = leafHash(bytes);
    assert(bank.expand(keyOf(leaf), bank.keep(leaf, bytes)).equals(bytes));
  }
});
