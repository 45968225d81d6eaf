// The start files of bb and bbd: an old Node moves to the checkout's own or says so in three lines; core dumps are off.
// The old Node is played by a preload that changes what the start file sees once, so no second Node has to be installed.

import assert from 'node:assert/strict';
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';

const root = join(import.meta.dirname, '../..');
const PROGRAM = `
import { readFileSync } from 'node:fs';
const [mode] = process.argv.slice(2);
if (mode === 'wait') { process.on('SIGTERM', () => process.exit(9)); setInterval(() => {}, 1000); }
const cores = readFileSync('/proc/self/limits', 'utf8').match(/core file size +(\\S+) +(\\S+)/);
console.log(JSON.stringify({ args: process.argv.slice(2), version: process.versions.node, pid: process.pid,
  cores: cores.slice(1), warnings: process.execArgv }));
if (mode === 'exit') process.exitCode = 7;
if (mode === 'cat') console.log(readFileSync(0, 'utf8'));
if (mode === 'die') process.kill(process.pid, 'SIGKILL');
`;
const OLD = `
if (process.env.PLAY_OLD_NODE) {
  delete process.env.PLAY_OLD_NODE;
  Object.defineProperty(process.versions, 'node', { value: '20.20.2' });
  delete process.execve;
}
`;

let dir = '';
before(() => {
  dir = mkdtempSync(join(tmpdir(), 'bb-start-'));
  for (const place of ['with', 'without']) {
    mkdirSync(join(dir, place, 'cli'), { recursive: true });
    mkdirSync(join(dir, place, 'src'));
    writeFileSync(join(dir, place, 'package.json'), '{"type":"module"}');
    for (const file of ['cli/bb.cjs', 'src/bbd.cjs', 'src/start.cjs']) cpSync(join(root, file), join(dir, place, file));
    for (const program of ['cli/main.js', 'src/main.js']) writeFileSync(join(dir, place, program), PROGRAM);
  }
  mkdirSync(join(dir, 'with/node_modules/.bin'), { recursive: true });
  symlinkSync(process.execPath, join(dir, 'with/node_modules/.bin/node'));
  writeFileSync(join(dir, 'old.cjs'), OLD);
});
after(() => rmSync(dir, { recursive: true, force: true }));

type Node = 'new' | 'old';
const command = (node: Node, file: string, args: readonly string[]): string[] => [
  ...(node === 'old' ? ['-r', join(dir, 'old.cjs')] : []),
  join(dir, file),
  ...args,
];
const environment = (node: Node): NodeJS.ProcessEnv => ({
  ...process.env,
  ...(node === 'old' ? { PLAY_OLD_NODE: '1' } : {}),
});

const start = (node: Node, file: string, args: readonly string[], input = ''): ReturnType<typeof spawnSync> =>
  spawnSync(process.execPath, command(node, file, args), { encoding: 'utf8', input, env: environment(node) });

/** Starts it in the background; resolves with the process and the line it says first. */
async function background(node: Node, file: string): Promise<[ChildProcess, { pid: number }]> {
  const child = spawn(process.execPath, command(node, file, ['wait']), {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: environment(node),
  });
  const [line] = (await once(child.stdout, 'data')) as [Buffer];
  return [child, JSON.parse(line.toString())];
}

for (const node of ['new', 'old'] as const) {
  for (const file of ['with/cli/bb.cjs', 'with/src/bbd.cjs']) {
    describe(`${file} on ${node === 'new' ? 'a new Node' : 'an old Node with a new one in node_modules'}`, () => {
      test('runs the program on Node 24 with the arguments as they were', () => {
        const args = ['x', 'two words', '', '--flag=$HOME', "quote'd"];
        const done = start(node, file, args);
        const said = JSON.parse(String(done.stdout));
        assert.deepEqual(said.args, args);
        assert.equal(said.version, process.versions.node);
        assert.equal(done.stderr, '');
        assert.equal(done.status, 0);
      });

      test('passes the exit status, stdin and a death by signal', () => {
        assert.equal(start(node, file, ['exit']).status, 7);
        assert.match(String(start(node, file, ['cat'], 'from stdin').stdout), /from stdin/);
        const died = start(node, file, ['die']);
        assert.ok(died.signal === 'SIGKILL' || died.status === 137);
      });

      test('passes SIGTERM to the program and leaves with its status', async () => {
        const [child] = await background(node, file);
        child.kill('SIGTERM');
        assert.deepEqual(await once(child, 'exit'), [9, null]);
      });
    });
  }

  test(`bbd on ${node === 'new' ? 'a new' : 'an old'} Node runs without core dumps and without Node's warnings`, () => {
    const said = JSON.parse(String(start(node, 'with/src/bbd.cjs', []).stdout));
    assert.deepEqual(said.cores, ['0', '0']);
    assert.ok(said.warnings.includes('--disable-warning=ExperimentalWarning'));
  });
}

test('bbd on a new Node keeps its process id: no parent is left behind', async () => {
  const [child, said] = await background('new', 'with/src/bbd.cjs');
  assert.equal(said.pid, child.pid);
  child.kill('SIGTERM');
  await once(child, 'exit');
});

for (const file of ['without/cli/bb.cjs', 'without/src/bbd.cjs']) {
  test(`${file} on an old Node alone says so in three lines and exits 69`, () => {
    const done = start('old', file, ['exit']);
    assert.equal(done.status, 69);
    assert.equal(done.stdout, '');
    const lines = String(done.stderr).trimEnd().split('\n');
    assert.equal(lines.length, 3, String(done.stderr));
    assert.match(lines[0] ?? '', /^error: bbd? needs Node\.js 24\.11 or newer; this is 20\.20\.2$/);
    assert.match(lines[1] ?? '', /^hint: /);
  });
}
