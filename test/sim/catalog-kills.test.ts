// The SQLite catalog, cut by kill -9 at 200 seeded moments. A process of its own commits numbered transactions and says so
// after each; it is killed, and what is found then must be what the memory adapter says after exactly the acknowledged
// transactions, or after one more: that one wholly or not at all. CATALOG_SEED replays the moments, as far as a clock can.
//
// A kill leaves what the system has taken from the process, so it shows an acknowledgement before its commit, a transaction
// in pieces and a journal that lives in memory. It does not show a missing fsync: the recorded cuts of test/faults do.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import type { ChildProcessByStdio } from 'node:child_process';
import { once } from 'node:events';
import * as fs from 'node:fs';
import { tmpdir } from 'node:os';
import { test } from 'node:test';
import type { Readable, Writable } from 'node:stream';
import { setTimeout as later } from 'node:timers/promises';
import { opened } from '../contract/catalog-suite.ts';
import { sqliteDiskIn } from '../contract/sqlite-disk.ts';
import { tempDir } from '../contract/storage-fixture.ts';
import { everythingOf, runStep } from './catalog-steps.ts';
import { memoryDisk } from './memory-disk.ts';
import { SeededRandom } from './seeded-random.ts';

const KILLS = 200;
/** Lives of one catalog each, side by side: there are two cores. */
const LIVES = 2;
const SEED = process.env['CATALOG_SEED'] || '1';
/** Lines before the kill: `awake`, `open`, then one for each transaction. */
const MOST_LINES = 9;
/** About what a step takes on a slow disk. */
const MOST_WAIT_MS = 4;

type Writer = ChildProcessByStdio<Writable, Readable, null>;

function start(): Writer {
  const { NODE_TEST_CONTEXT: _, ...env } = process.env;
  const file = new URL('catalog-writer.ts', import.meta.url).pathname;
  return spawn(process.execPath, [...process.execArgv, file], {
    env: { ...env, NODE_COMPILE_CACHE: `${tmpdir()}/bb-compiled` },
    stdio: ['pipe', 'pipe', 'inherit'],
  });
}

/** Kills a writer at a moment that `random` draws; what it has acknowledged by then, or `first - 1`. */
async function killOne(writer: Writer, order: string, first: number, random: SeededRandom): Promise<number> {
  const lines = 1 + random.below(MOST_LINES);
  const waitMs = random.fraction() * MOST_WAIT_MS;
  const ended = once(writer, 'close');
  let said = '';
  let isTimeUp = false;
  const isDone = new Promise<void>((resolve) => {
    writer.stdout.setEncoding('latin1').on('data', (text: string) => {
      said += text;
      if (isTimeUp || said.split('\n').length <= lines) return;
      isTimeUp = true;
      resolve(later(waitMs));
    });
  });
  writer.stdin.write(`${order}\n`);
  await Promise.race([isDone, ended]);
  assert.equal(writer.exitCode, null, `the writer ended by itself after ${JSON.stringify(said)}`);
  writer.kill('SIGKILL');
  await ended;
  const acknowledged = said.split('\n').slice(2, -1).map(Number);
  return acknowledged.at(-1) ?? first - 1;
}

/** What a catalog is after a kill, read from a copy, so that the next process meets the files as the kill left them. */
async function readCut(dir: string, copy: string): Promise<string> {
  fs.rmSync(copy, { recursive: true, force: true });
  fs.mkdirSync(copy);
  for (const name of fs.readdirSync(dir).filter((file) => /^state\.db(-wal)?$/.test(file))) {
    fs.copyFileSync(`${dir}/${name}`, `${copy}/${name}`);
  }
  const catalog = await opened(sqliteDiskIn(copy));
  assert.deepEqual((await catalog.verify()).catalog, []);
  const found = await everythingOf(catalog);
  await catalog.close();
  return found;
}

async function live(dir: string, seed: string, kills: number): Promise<{ readonly steps: number; half: number }> {
  const random = new SeededRandom(seed);
  const model = { disk: memoryDisk(), seed };
  const catalog = await opened(model.disk);
  let done = 0;
  let half = 0;
  const writers = [start()];
  try {
    for (let kill = 0; kill < kills; kill += 1) {
      const writer = writers.pop() ?? start();
      if (kill + 1 < kills) writers.push(start()); // it wakes up meanwhile
      const acknowledged = await killOne(writer, `${dir}/node ${done} ${seed}`, done, random);
      for (; done <= acknowledged; done += 1) await runStep({ ...model, catalog }, done);
      const where = `${seed}, kill ${kill}, ${done} transactions acknowledged`;
      const found = await readCut(`${dir}/node`, `${dir}/copy`).catch((error: unknown) => {
        throw new Error(`${where}: the catalog does not open`, { cause: error });
      });
      if (found === (await everythingOf(catalog))) continue;
      await runStep({ ...model, catalog }, done);
      done += 1;
      half += 1;
      assert.equal(found, await everythingOf(catalog), `${where}: neither these nor one more`);
    }
  } finally {
    for (const writer of writers) writer.kill('SIGKILL');
  }
  return { steps: done, half };
}

test(`every acknowledged transaction is there after kill -9, and no other in part`, async (t) => {
  const dir = tempDir(t);
  const started = process.hrtime.bigint();
  const lives = Array.from({ length: LIVES }, (_, life) => {
    fs.mkdirSync(`${dir}/${life}/node`, { recursive: true });
    return live(`${dir}/${life}`, `seed ${SEED} life ${life}`, KILLS / LIVES);
  });
  const ended = await Promise.all(lives);
  const sum = (of: (life: { readonly steps: number; readonly half: number }) => number): number =>
    ended.reduce((total, life) => total + of(life), 0);
  const seconds = Number((process.hrtime.bigint() - started) / 1_000_000n) / 1000;
  t.diagnostic(
    `CATALOG_SEED=${SEED}: ${KILLS} kills in ${seconds.toFixed(1)} s, ${sum(({ steps }) => steps)} transactions, ` +
      `${sum(({ half }) => half)} committed and not acknowledged`,
  );
});
