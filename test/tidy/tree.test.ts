// The shape of the tree: what is at the top, how files are named, how long they get, and what no file may mention.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync, globSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { test } from 'node:test';
import { LANES } from '../lanes.ts';

const root = join(import.meta.dirname, '../..');
const MAX_LINES = 400;
const TOP = [
  'package.json',
  'package-lock.json',
  'tsconfig.json',
  'proto',
  'src',
  'cli',
  'docker',
  'Makefile',
  'test',
  'docs',
].concat(['README.md', 'LICENSE', '.ci', '.gitignore', '.dockerignore', '.oxlintrc.json', 'biome.json']);

const read = (file: string): string => readFileSync(join(root, file), 'utf8');
const sources = globSync(['src/**/*.ts', 'cli/**/*.ts', 'test/**/*.ts', 'src/*.cjs', 'cli/*.cjs'], {
  cwd: root,
}).filter((file) => !file.startsWith('src/gen/'));

/** What is committed or about to be: not ignored, not deleted. Without git (an unpacked archive) the sources only. */
function kept(): string[] {
  if (!existsSync(join(root, '.git'))) return sources;
  const list = execFileSync('git', ['ls-files', '-z', '--cached', '--others', '--exclude-standard'], {
    cwd: root,
    encoding: 'utf8',
  });
  return list.split('\0').filter((file) => file !== '' && existsSync(join(root, file)));
}

test('the top level holds what docs/architecture.md draws and nothing else', () => {
  const top = new Set(kept().map((file) => file.split('/')[0] as string));
  assert.deepEqual(
    [...top].filter((name) => !TOP.includes(name)),
    [],
  );
});

test(`no source file is longer than ${MAX_LINES} lines`, () => {
  assert.ok(sources.length > 20);
  assert.deepEqual(
    sources.filter((file) => read(file).split('\n').length - 1 > MAX_LINES),
    [],
  );
});

test('file names are kebab-case nouns or verbs, no heaps and no barrels', () => {
  const odd = sources.filter((file) => !/^[a-z0-9]+(-[a-z0-9]+)*(\.test)?\.(ts|cjs)$/.test(basename(file)));
  const heaps = sources.filter((file) => /^(index|utils?|helpers?|types|common|misc)\.ts$/.test(basename(file)));
  assert.deepEqual(
    [...odd, ...heaps].filter((file) => file !== 'cli/commands/index.ts'),
    [],
  );
});

test('every test file is in a lane, so that make test runs it', () => {
  const lanes = ['tidy', ...LANES.map(({ name }) => name)];
  const tests = sources.filter((file) => file.endsWith('.test.ts'));
  assert.deepEqual(
    tests.filter((file) => !lanes.includes(file.split('/')[1] as string)),
    [],
  );
});

test('every source file says first what it is for', () => {
  const silent = sources.filter((file) => !/^(#!.*\n)?(\/\/|\/\*)/.test(read(file)));
  assert.deepEqual(silent, []);
});

test('core is synchronous and touches no process', () => {
  const banned = /\b(async|await|Promise|process)\b(?!['"])|\brandomBytes\b|\bgenerateKeyPair/;
  const lines = sources
    .filter((file) => file.startsWith('src/core/'))
    .flatMap((file) =>
      read(file)
        .split('\n')
        .map((line, at) => `${file}:${at + 1}: ${line}`),
    )
    .filter(
      (line) =>
        !/: \s*(\/\/|\/?\*)/.test(line) && banned.test(line.replace(/\/\/.*$/, '').replace(/(['"`]).*?\1/g, '')),
    );
  assert.deepEqual(lines, []);
});

test('no file names a folder of one machine', () => {
  // Written in two parts so that this file passes its own test.
  const places = ['/work/' + 'main', '/work/' + 'shared', '/tmp/' + 'team', '/tmp/' + 'bash_jobs'];
  const texts = kept().filter((file) =>
    /\.(ts|cjs|md|json|ya?ml|proto|sql|toml)$|Makefile$|\.ci\/run$|Dockerfile$/.test(file),
  );
  assert.ok(texts.length > 20);
  assert.deepEqual(
    texts.filter((file) => places.some((place) => read(file).includes(place))),
    [],
  );
});
