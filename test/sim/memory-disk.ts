// A simulated disk as the suite of the catalog port wants it.

import { cellIdOf } from '../contract/catalog-suite.ts';
import type { CatalogDisk } from '../contract/catalog-suite.ts';
import { MemoryCatalog } from './memory-catalog.ts';
import { keyOf, SimDisk } from './sim-disk.ts';

export function memoryDisk(): CatalogDisk {
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
}
