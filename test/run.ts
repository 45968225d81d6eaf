// The lane runner behind `make test`: lanes in order of cost, each with its time and counts.
// Invariant: nothing passes silently. A lane that has a folder must run at least one test, a skipped or unfinished
// test counts as failed, and the last line is the total of all lanes.

import { spawnSync } from 'node:child_process';
import { globSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { run } from 'node:test';
import { spec } from 'node:test/reporters';
import { HungFiles } from './hung-files.ts';
import { LANES, type Lane } from './lanes.ts';

type Counts = { passed: number; failed: number };
const root = new URL('..', import.meta.url).pathname;
const LOG_TAIL_LINES = 60;
/** Beyond the time limit of its tests a lane is silent for at most so long; after that it hangs, and nothing will end it. */
const SILENCE_MS = 2 * 60_000;

/** `make check` as a lane: one step that holds or does not. */
function runCheck(): Counts {
  const done = spawnSync('make', ['check'], { cwd: root, stdio: 'inherit' });
  return done.status === 0 ? { passed: 1, failed: 0 } : { passed: 0, failed: 1 };
}

/** Runs the test files of one lane, each in a process of its own, and prints what the runner says of them. */
async function runLane(lane: Lane, files: string[]): Promise<Counts> {
  const counts: Counts = { passed: 0, failed: 0 };
  const logs = mkdtempSync(join(tmpdir(), `bb-${lane.name}-logs-`));
  process.env.BB_TEST_LOGS = logs;
  const events = run({ files, cwd: root, concurrency: lane.concurrency, timeout: lane.timeoutMs });
  const hung = new HungFiles(lane.timeoutMs);
  events.on('test:summary', ({ file, success, counts: total }) => {
    if (file !== undefined) return success ? hung.passed(file) : undefined;
    counts.passed = total.passed;
    counts.failed = total.tests - total.passed;
  });
  // A file without a test is reported as one test that passed, under the name of the file.
  const empty = new Set<string>();
  events.on('test:pass', ({ name }) => {
    if (files.includes(name)) empty.add(name);
  });
  events.on('test:dequeue', ({ name }) => {
    if (files.includes(name)) hung.started(name);
  });
  events.on('test:complete', ({ name }) => hung.exited(name));
  const watch = watchSilence(lane, () => hung.running);
  events.on('data', () => watch.refresh());
  for await (const text of events.compose(spec)) process.stdout.write(text);
  clearTimeout(watch);
  for (const file of empty) console.log(`no test ran in ${file}; that is a failure`);
  counts.passed -= empty.size;
  counts.failed += empty.size;
  // The runner counts the signal as one failure more; all tests of these files were counted, and passed.
  for (const file of hung.afterPassing)
    console.log(`${file} was ended by force: all its tests passed, and its process did not end`);
  counts.failed -= hung.afterPassing.size;
  if (counts.failed > 0) sayLogTails(logs);
  rmSync(logs, { recursive: true, force: true });
  return counts;
}

/**
 * A test file that was killed for its time can leave a process that keeps its output open, and the runner would wait for
 * that for ever: such a lane ends the run as failed and says which files had not ended.
 */
function watchSilence({ name, timeoutMs }: Lane, running: () => string[]): NodeJS.Timeout {
  return setTimeout(() => {
    for (const file of running()) console.log(`did not end: ${file.replace(root, '')}`);
    console.log(`lane ${name} hangs: nothing was heard of it for ${(timeoutMs + SILENCE_MS) / 60_000} minutes`);
    console.log('0 passed, 1 failed');
    process.exit(1);
  }, timeoutMs + SILENCE_MS);
}

/** The last lines of every log that the daemons and tors of a failed lane wrote into BB_TEST_LOGS. */
function sayLogTails(logs: string): void {
  for (const file of globSync('**/*.log', { cwd: logs }).sort()) {
    const lines = readFileSync(join(logs, file), 'utf8').trimEnd().split('\n');
    console.log(`--- ${file}: the last ${Math.min(lines.length, LOG_TAIL_LINES)} of ${lines.length} lines`);
    console.log(lines.slice(-LOG_TAIL_LINES).join('\n'));
  }
}

function sayLane(name: string, counts: Counts, startedMs: number): string {
  const seconds = ((performance.now() - startedMs) / 1000).toFixed(1);
  const line = `lane ${name.padEnd(9)} ${String(counts.passed).padStart(5)} passed ${String(counts.failed).padStart(4)} failed ${seconds.padStart(7)} s`;
  console.log(`${line}\n`);
  return line;
}

async function main(wanted: string[]): Promise<void> {
  const unknown = wanted.filter((name) => name !== 'check' && !LANES.some((lane) => lane.name === name));
  if (unknown.length > 0) throw new Error(`unknown lane: ${unknown.join(' ')}`);
  const isWanted = (name: string): boolean => wanted.length === 0 || wanted.includes(name);
  const total: Counts = { passed: 0, failed: 0 };
  const lines: string[] = [];
  const add = (name: string, counts: Counts, startedMs: number): void => {
    lines.push(sayLane(name, counts, startedMs));
    total.passed += counts.passed;
    total.failed += counts.failed;
  };

  // Hundreds of processes and threads load the same sources; what the first one compiled serves the others.
  const compiled = mkdtempSync(join(tmpdir(), 'bb-compiled-'));
  process.env.NODE_COMPILE_CACHE = compiled;
  process.on('exit', () => rmSync(compiled, { recursive: true, force: true }));

  if (isWanted('check')) {
    const startedMs = performance.now();
    add('check', runCheck(), startedMs);
  }
  const onDemand = (lane: Lane): boolean => lane.isOnDemand === true && !wanted.includes(lane.name);
  for (const lane of LANES.filter((one) => isWanted(one.name) && !onDemand(one))) {
    const files = globSync(`test/${lane.name}/**/*.test.ts`, { cwd: root }).map((file) => root + file);
    if (files.length === 0 && !wanted.includes(lane.name)) continue;
    const startedMs = performance.now();
    const counts = files.length === 0 ? { passed: 0, failed: 1 } : await runLane(lane, files.sort());
    add(lane.name, counts, startedMs);
  }

  console.log(lines.join('\n'));
  console.log(`${total.passed} passed, ${total.failed} failed`);
  process.exitCode = total.failed === 0 && total.passed > 0 ? 0 : 1;
}

await main(process.argv.slice(2));
