// A folder as the disk of an SQLite catalog, for the suite of the port and whoever works with one.

import * as fs from 'node:fs';
import { SqliteCatalog } from '../../src/storage/catalog/sqlite-catalog.ts';
import { StagingDb, stagingPath } from '../../src/storage/catalog/staging.ts';
import { cellIdOf } from './catalog-suite.ts';
import type { CatalogDisk, StagedName } from './catalog-suite.ts';
import { bytesOf, countingRandom } from './storage-fixture.ts';

export const random = countingRandom();
export const chunkIdOf = (name: string): Buffer => bytesOf(`chunk ${name}`, 16);

/** What was staged and not committed before goes, as at every start of the daemon. */
export function sqliteDiskIn(dir: string): CatalogDisk {
  fs.rmSync(`${dir}/tmp`, { recursive: true, force: true });
  fs.mkdirSync(`${dir}/tmp`);
  let staged = 0;
  return {
    make: () => new SqliteCatalog(dir, random),
    stage(index, data) {
      const id = `stage-${staged++}`;
      const staging = new StagingDb(stagingPath(dir, id), { durable: false });
      const add = ({ name, slot, chunks }: StagedName, kind: 'index' | 'data'): void => {
        if (slot !== undefined)
          staging.addCell(cellIdOf(name), { kind: kind === 'data' ? 1 : 2, position: { pack: 0, slot } });
        for (const chunk of chunks ?? []) staging.addChunk(chunkIdOf(chunk), cellIdOf(name));
        staging.listCell(cellIdOf(name), kind);
      };
      for (const cell of data) add(cell, 'data');
      for (const cell of index) add(cell, 'index');
      staging.close();
      return id;
    },
  };
}
