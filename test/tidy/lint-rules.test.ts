// The linter refuses what the layer table forbids and nothing that it allows: a file is planted for every pair.

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, relative } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { type LayerRow, layerTable, mayImportOwn, mayImportPackage } from './layer-table.ts';

const root = join(import.meta.dirname, '../..');
const OWN_TARGETS = [
  'core/errors',
  'core/crypto/keys',
  'ports/clock',
  'work/pool',
  'storage/packs/store',
  'net/dial',
].concat([
  'daemon/set-file',
  'rpc/status',
  'gen/bbrpc/v1/bbrpc',
  'gen/clirpc/v1/clirpc',
  'gen/storedpb/v1/stored',
  'app/compose',
]);
const NODE_TARGETS = ['node:fs', 'node:fs/promises', 'node:crypto', 'node:zlib', '@grpc/grpc-js'];
const LINTED = ['core', 'core/crypto', 'ports', 'work', 'storage', 'net', 'daemon', 'rpc', 'app', 'cli'];

let dir = '';
before(() => {
  dir = mkdtempSync(join(tmpdir(), 'bb-lint-'));
  copyFileSync(join(root, '.oxlintrc.json'), join(dir, '.oxlintrc.json'));
});
after(() => rmSync(dir, { recursive: true, force: true }));

function plant(file: string, source: string): string {
  mkdirSync(dirname(join(dir, file)), { recursive: true });
  writeFileSync(join(dir, file), source);
  return file;
}

/** The rules that the linter applied to each planted file. */
function lint(): Map<string, string[]> {
  const done = spawnSync('oxlint', ['--format', 'json'], { cwd: dir, encoding: 'utf8' });
  const found = new Map<string, string[]>();
  for (const { filename, code } of JSON.parse(done.stdout).diagnostics as { filename: string; code: string }[]) {
    found.set(filename, [...(found.get(filename) ?? []), code]);
  }
  return found;
}

const folderOf = (row: LayerRow): string => (row.module === 'cli' ? 'cli' : `src/${row.module}`);
// Packages outside the table's Node modules are for the tidy test alone: the linter would need a list of all of them.
const nodeRulesLinted = (row: LayerRow): boolean => ['core', 'core/crypto', 'ports', 'daemon'].includes(row.module);

describe('lint rules', () => {
  test('refuse exactly the imports that the table forbids', () => {
    const expected = new Map<string, boolean>();
    let count = 0;
    for (const row of layerTable().filter(({ module }) => LINTED.includes(module))) {
      const folder = folderOf(row);
      for (const target of OWN_TARGETS) {
        const specifier = relative(folder, `src/${target}.ts`);
        const file = plant(
          `${folder}/planted-${count++}.ts`,
          `import '${specifier.startsWith('.') ? specifier : `./${specifier}`}';\n`,
        );
        expected.set(file, mayImportOwn(row, target));
      }
      for (const target of nodeRulesLinted(row) ? NODE_TARGETS : []) {
        expected.set(plant(`${folder}/planted-${count++}.ts`, `import '${target}';\n`), mayImportPackage(row, target));
      }
    }
    const found = lint();
    const wrong = [...expected].filter(
      ([file, allowed]) => allowed === (found.get(file) ?? []).includes('eslint(no-restricted-imports)'),
    );
    assert.deepEqual(wrong, []);
    assert.ok(count > 100);
  });

  test('refuse time and chance where they must come from a port', () => {
    const sources = [
      'Date.now();',
      'setTimeout(() => 1, 1);',
      'setInterval(() => 1, 1);',
      'Math.random();',
      'performance.now();',
    ];
    const files = ['core', 'ports', 'daemon', 'rpc'].flatMap((module) =>
      sources.map((source, at) => plant(`src/${module}/timed-${at}.ts`, `export const x = (): unknown => ${source}\n`)),
    );
    const found = lint();
    const missed = files.filter(
      (file) => !(found.get(file) ?? []).some((code) => /no-restricted-(globals|properties)/.test(code)),
    );
    assert.deepEqual(missed, []);
  });
});
