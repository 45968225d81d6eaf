// The memory adapters of the simulator keep the same suites as the ones on a real disk: what runs in a simulated year
// runs on ports that behave like those of a real day.

import { catalogSuite } from '../contract/catalog-suite.ts';
import { cellStoreSuite } from '../contract/cell-store-suite.ts';
import { CellBank } from './cell-bank.ts';
import { memoryDisk } from './memory-disk.ts';
import { MemoryCells } from './memory-cells.ts';
import { SimDisk } from './sim-disk.ts';

catalogSuite('memory', memoryDisk);

cellStoreSuite('memory', () => {
  const disk = new SimDisk();
  return { make: () => new MemoryCells(disk, new CellBank()) };
});
