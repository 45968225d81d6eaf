// The memory adapters of the simulator keep the same suites as the ones on a real disk: what runs in a simulated year
// runs on ports that behave like those of a real day.

import { catalogSuite, cellIdOf } from '../contract/catalog-suite.ts';
import { cellStoreSuite } from '../contract/cell-store-suite.ts';
import { CellBank } from './cell-bank.ts';
import { MemoryCatalog } from './memory-catalog.ts';
import { MemoryCells } from './memory-cells.ts';
import { keyOf, SimDisk } from './sim-disk.ts';

catalogSuite('memory', () => {
  const disk = new SimDisk();
  return {
    make: () => new MemoryCatalog(disk),
    stage(index, data) {
      const id = `stage-${disk.staging.size}`;
      const keyed = [...data, ...index].flatMap(({ name, slot }) =>
        slot === undefined ? [] : [[keyOf(cellIdOf(name)), { pack: 0, slot }] as const],
      );
      const keys = (cells: typeof index) => cells.map(({ name }) => keyOf(cellIdOf(name)));
      disk.staging.set(id, { cells: new Map(keyed), index: keys(index), data: keys(data) });
      return id;
    },
  };
});

cellStoreSuite('memory', () => {
  const disk = new SimDisk();
  return { make: () => new MemoryCells(disk, new CellBank()) };
});
