// Whether a data directory was ever used: then a missing catalog or header is damage, and never a fresh node.

import * as fs from 'node:fs';
import { packNumber } from '../packs/pack-format.ts';
import { BACKUP_NAME } from './backup.ts';
import { CATALOG_NAME } from './database.ts';

const HEADERS = ['header.json', 'header.bak'];

/** A catalog must be there: something else of a node is. */
export function hasTraces(dataDir: string): boolean {
  return HEADERS.some((name) => fs.existsSync(`${dataDir}/${name}`)) || hasContentTraces(dataDir);
}

/** A header must be there: what is made only after it is. */
export function hasContentTraces(dataDir: string): boolean {
  const names = namesIn(dataDir);
  if (names.some((name) => name === BACKUP_NAME || name.startsWith(`${CATALOG_NAME}.damaged-`))) return true;
  return ['own', 'peers'].some((store) =>
    namesIn(`${dataDir}/${store}`).some((name) => packNumber(name) !== undefined),
  );
}

/** Names in a folder; none when there is no such folder. */
export function namesIn(folder: string): string[] {
  return fs.existsSync(folder) ? fs.readdirSync(folder) : [];
}
