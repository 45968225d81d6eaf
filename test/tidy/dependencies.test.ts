// What a user installs: exact versions, permissive licences, and nothing that runs code while installing.
// Reads the lockfile, so what is checked is what npm ci installs.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';

type LockEntry = {
  version?: string;
  license?: string;
  dev?: boolean;
  resolved?: string;
  integrity?: string;
  os?: string[];
  cpu?: string[];
  libc?: string[];
  optionalDependencies?: object;
  hasInstallScript?: boolean;
};

const read = (name: string): Record<string, Record<string, unknown>> =>
  JSON.parse(readFileSync(new URL(`../../${name}`, import.meta.url), 'utf8'));
const manifest = read('package.json');
const lock = read('package-lock.json').packages as Record<string, LockEntry>;
const installed = Object.entries(lock).filter(([path]) => path !== '');

const PERMISSIVE = [
  'MIT',
  'ISC',
  'Apache-2.0',
  'BSD-2-Clause',
  'BSD-3-Clause',
  '0BSD',
  '(Apache-2.0 AND BSD-3-Clause)',
];

// make setup installs with --ignore-scripts; these were seen to work without theirs.
const WORKS_WITHOUT_ITS_SCRIPT = ['argon2', 'protobufjs', '@bufbuild/buf'];

test('dependencies are named with exact versions', () => {
  const sections = ['dependencies', 'devDependencies', 'optionalDependencies'].map((name) => manifest[name] ?? {});
  const ranges = sections.flatMap((section) =>
    Object.entries(section).filter(([, version]) => !/^\d+\.\d+\.\d+$/.test(String(version))),
  );
  assert.deepEqual(ranges, []);
});

// Tools come with one optional package per platform. Their entries must exist, or npm ci stops where one cannot be had;
// those of platforms that the project is not built on are pinned by version only.
const isForeign = (entry: LockEntry): boolean =>
  entry.os?.includes('linux') !== true || entry.libc?.includes('musl') === true || !/x64|arm64/.test(String(entry.cpu));

test('the lockfile pins every package by content and names no host', () => {
  const loose = installed.filter(([, entry]) => entry.integrity === undefined && !isForeign(entry));
  assert.deepEqual(loose, []);
  assert.deepEqual(
    installed.filter(([, entry]) => entry.resolved !== undefined),
    [],
  );
});

test('the lockfile has an entry for each optional package, so that npm ci never asks for one', () => {
  const missing = installed.flatMap(([path, entry]) =>
    Object.keys(entry.optionalDependencies ?? {}).filter(
      (name) => lock[`node_modules/${name}`] === undefined && lock[`${path}/node_modules/${name}`] === undefined,
    ),
  );
  assert.deepEqual(missing, []);
});

test('what runs at the user has a permissive licence', () => {
  const runtime = installed.filter(([, entry]) => entry.dev !== true);
  assert.ok(runtime.length > 10);
  assert.deepEqual(
    runtime.filter(([, entry]) => !PERMISSIVE.includes(entry.license ?? 'none')),
    [],
  );
});

test('no package needs its install script', () => {
  const withScript = installed
    .filter(([, entry]) => entry.hasInstallScript === true)
    .map(([path]) => path.replace(/^.*node_modules\//, ''));
  assert.deepEqual(
    withScript.filter((name) => !WORKS_WITHOUT_ITS_SCRIPT.includes(name)),
    [],
  );
});
