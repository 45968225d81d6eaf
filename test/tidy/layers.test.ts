// Every import line of src and cli is one that the layer table of docs/architecture.md allows.

import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, test } from 'node:test';
import { layerTable, mayImportOwn, mayImportPackage, rowFor } from './layer-table.ts';

const root = join(import.meta.dirname, '../..');
const table = layerTable();

/** Static imports and re-exports, bare imports and dynamic import() of a literal. */
function specifiers(source: string): string[] {
  const patterns = [
    /^(?:import|export)\b[^;'"]*?\bfrom\s+['"]([^'"]+)['"]/gm,
    /^import\s+['"]([^'"]+)['"]/gm,
    /\bimport\(\s*['"]([^'"]+)['"]/g,
  ];
  return patterns.flatMap((pattern) => [...source.matchAll(pattern)].map((match) => match[1] as string));
}

/** `src/core/ids.ts` -> `core/ids`; `cli/main.ts` -> `cli/main`. */
const modulePath = (file: string): string => file.replace(/^src\//, '').replace(/\.[a-z]+$/, '');

function offences(file: string): string[] {
  const row = rowFor(modulePath(file), table);
  if (row === undefined) return [`${file}: its folder is not in the layer table`];
  return specifiers(readFileSync(join(root, file), 'utf8')).flatMap((specifier) => {
    const allowed = specifier.startsWith('.')
      ? mayImportOwn(row, modulePath(join(dirname(file), specifier)))
      : mayImportPackage(row, specifier);
    return allowed ? [] : [`${file}: ${row.module} may not import ${specifier}`];
  });
}

describe('layers', () => {
  test('the table covers every folder of src and cli', () => {
    const modules = new Set(table.map((row) => row.module));
    for (const name of ['core', 'ports', 'work', 'storage', 'net', 'daemon', 'rpc', 'gen', 'app', 'main', 'cli']) {
      assert.ok(modules.has(name), `${name} has no row`);
    }
  });

  test('every import is one that the table allows', () => {
    const files = globSync(['src/**/*.ts', 'cli/**/*.ts'], { cwd: root });
    assert.ok(files.length > 10, 'the sources were not found');
    assert.deepEqual(files.flatMap(offences), []);
  });

  test('the reader of imports sees each form', () => {
    const source = `import a from 'a';\nimport {\n  b,\n} from "b";\nimport type { C } from 'c';\nimport 'd';\nexport { e } from 'e';\nconst f = await import('f');\n`;
    assert.deepEqual(specifiers(source).sort(), ['a', 'b', 'c', 'd', 'e', 'f']);
  });
});
