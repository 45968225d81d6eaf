// Reads the layer table of docs/architecture.md, the one statement of who may import what.
// Used by the tests that hold the sources and the linter to it.

import { readFileSync } from 'node:fs';

export type LayerRow = {
  readonly module: string;
  readonly own: readonly string[];
  readonly packages: readonly string[];
};

const names = (cell: string): string[] => [...cell.matchAll(/`([^`]+)`/g)].map((match) => match[1] as string);

/** The rows in the order of the page; throws when the page has no such table. */
export function layerTable(): LayerRow[] {
  const page = readFileSync(new URL('../../docs/architecture.md', import.meta.url), 'utf8');
  const lines = page.split('\n');
  const head = lines.findIndex((line) =>
    line.startsWith('| module | may import of ours | packages and Node modules |'),
  );
  if (head < 0) throw new Error('docs/architecture.md has no layer table');
  const rows: LayerRow[] = [];
  for (const line of lines.slice(head + 2)) {
    if (!line.startsWith('|')) break;
    const [, module = '', own = '', packages = ''] = line.split('|');
    rows.push({ module: names(module)[0] ?? '', own: names(own), packages: names(packages) });
  }
  return rows;
}

/** The most special row for a path below src (`core/crypto/keys`), or for `cli/...` and `main`. */
export function rowFor(path: string, table: readonly LayerRow[]): LayerRow | undefined {
  return table
    .filter(({ module }) => path === module || path.startsWith(`${module}/`))
    .sort((a, b) => b.module.length - a.module.length)[0];
}

/** Whether `path` (a module of ours, without extension) may be imported from the row's module. */
export function mayImportOwn(row: LayerRow, path: string): boolean {
  const home = row.module.split('/')[0] as string;
  return [home, ...row.own].some((allowed) => path === allowed || path.startsWith(`${allowed}/`));
}

/** Whether a package or Node module may be imported. `@noble/*` is a whole scope, `node:fs` covers `node:fs/promises`. */
export function mayImportPackage(row: LayerRow, name: string): boolean {
  return row.packages.some((allowed) => {
    if (allowed === '*') return true;
    if (allowed.endsWith('*')) return name.startsWith(allowed.slice(0, -1));
    return name === allowed || name.startsWith(`${allowed}/`);
  });
}
