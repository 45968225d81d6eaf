// Commands that last: what they send, what they wait for, how they report, and how they leave early.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { test } from 'node:test';
import type { DaemonEvent, LocalApi, StatusView } from '../../src/daemon/local-api.ts';
import { PROGRESS, REVISION, STATUS } from '../contract/rpc-local-fixture.ts';
import { rigWith } from './rig.ts';

const RESULT = {
  revision: REVISION,
  addedFiles: 5,
  removedFiles: 1,
  skippedFiles: 0,
  skippedNames: [],
  unchanged: false,
};
const READ = { ...PROGRESS, job: 'set-1', phase: 'read', done: 512, total: 1024, bytesPerSec: 256, etaSec: 2 };

test('setfile sends the absolute path and a name, and ends with the revision', async () => {
  const calls: string[] = [];
  await using rig = await rigWith({
    async setFile(source, onProgress) {
      calls.push(source.kind === 'path' ? `${source.path.toString()} ${source.name.toString()}` : source.kind);
      onProgress(READ);
      return RESULT;
    },
  });
  const ran = await rig.bb(['setfile', 'docs/']);
  assert.equal(ran.stdout, 'docs: 5 entries new or changed, 1 removed; 5 entries, 6 B in revision 3\n');
  assert.equal(ran.stderr, '* read 512 B of 1.0 KiB (50 %), 256 B/s, 2 s left\n');
  assert.equal((await rig.bb(['setfile', 'docs', '-q'])).stderr, '');
  const { lines, body } = await rig.json(['setfile', '/etc/x', '--as', 'a/b']);
  assert.deepEqual(lines[0], {
    ...{ t: 'progress', job: 'set-1', phase: 'read', done: 512, total: 1024, bytesPerSec: 256, etaSec: 2 },
  });
  assert.deepEqual(
    [lines.length, body.t, body.ok, body.data['added_files'], body.data['path']],
    [2, 'result', true, 5, 'a/b'],
  );
  assert.deepEqual(calls, [`${rig.home}/docs docs`, `${rig.home}/docs docs`, '/etc/x a/b']);
  for (const args of [['setfile'], ['setfile', 'a', '--stdin'], ['setfile', '--stdin'], ['setfile', '/']]) {
    assert.equal((await rig.bb(args)).exit, 2, args.join(' '));
  }
});

test('setfile --stdin streams every byte, also when the daemon is slow or says no', async () => {
  let bytes = 0;
  let sum = 0;
  await using rig = await rigWith({
    async setFile(source) {
      assert.equal(source.kind, 'stream');
      if (source.kind !== 'stream') return RESULT;
      for await (const part of source.bytes) {
        bytes += part.length;
        for (const byte of part) sum = (sum * 31 + byte) % 1_000_003;
        assert.ok(part.length <= 64 * 1024);
      }
      return RESULT;
    },
  });
  const input = Buffer.from(Array.from({ length: 3_000_001 }, (_, at) => (at * 7) % 256));
  const ran = await rig.bb(['setfile', '--stdin', '--as', 'dump'], { input });
  assert.equal(ran.exit, 0, ran.stderr);
  assert.equal(bytes, input.length);
  assert.equal(
    sum,
    input.reduce((total, byte) => (total * 31 + byte) % 1_000_003, 0),
  );
  await rig.stop();
  await rig.start({});
  assert.equal((await rig.bb(['setfile', '--stdin', '--as', 'dump'], { input })).exit, 18);
});

/** A daemon whose status changes with its events; the next one comes when the last was looked at. */
function changing(steps: readonly Partial<StatusView>[]): Partial<LocalApi> & { asked: () => number } {
  let step = -1;
  let asked = 0;
  let looked = (): void => undefined;
  return {
    asked: () => asked,
    status: async () => {
      asked += 1;
      setImmediate(looked);
      return { ...STATUS, jobs: [], ...steps[step] };
    },
    async *events(_progress, signal) {
      for (step = 0; !signal.aborted; step += 1) {
        const wasLookedAt = new Promise<void>((resolve) => (looked = resolve));
        if (step === 0) yield { ...event('progress'), progress: READ };
        yield event(`step-${step}`);
        if (step === steps.length - 1) break;
        await wasLookedAt;
      }
      if (!signal.aborted) await once(signal, 'abort');
    },
  };
}
const event = (name: string): DaemonEvent => ({ sequence: 1, atMs: 1, name, attributes: {}, progress: undefined });

test('status --wait protected listens to events and returns when it is true', async () => {
  const daemon = changing([{ verdict: 'NOT_PROTECTED' }, { verdict: 'AT_RISK' }, { verdict: 'PROTECTED' }]);
  await using rig = await rigWith(daemon);
  const { exit, body, lines } = await rig.json(['status', '--wait', 'protected', '--timeout', '20s']);
  assert.deepEqual([exit, body.data['verdict'], lines.length], [0, 'PROTECTED', 1]);
  assert.ok(daemon.asked() <= 3);
  const ran = await rig.bb(['status', '--wait', 'protected']);
  assert.match(ran.stderr, /^\* read 512 B.*\n\* Tor: loading\n$/);
});

test('status --wait idle wants neither a job nor a pending change', async () => {
  const steps = [{ jobs: [PROGRESS], pending: false }, { pending: true }, { pending: false }];
  await using rig = await rigWith(changing(steps));
  assert.equal((await rig.bb(['status', '--wait', 'idle', '--timeout', '20s'])).exit, 0);
});

test('status --wait leaves with 20 when the time is up, 11 when locked, 13 when the daemon ends', async () => {
  await using rig = await rigWith(changing([{ verdict: 'AT_RISK' }]));
  const late = await rig.json(['status', '--wait', 'protected', '--timeout', '700ms']);
  assert.deepEqual([late.exit, late.body.error?.code, late.lines.length], [20, 'TIMEOUT', 1]);
  const killed = rig.bb(['status', '--wait', 'protected'], {
    onOutput: (said) => {
      if (said.includes('* read')) void rig.stop();
    },
  });
  assert.equal((await killed).exit, 13);
  await rig.start(changing([{ state: 'LOCKED' }]));
  assert.equal((await rig.bb(['status', '--wait', 'protected'])).exit, 11);
});

test('status --watch shows every change until Ctrl-C', async () => {
  await using rig = await rigWith(changing([{ verdict: 'AT_RISK' }, { verdict: 'PROTECTED' }]));
  let interrupted = false;
  const ran = await rig.bb(['status', '--watch', '--json'], {
    onOutput: (said, kill) => {
      if (said.includes('"PROTECTED"') && !interrupted) kill('SIGINT');
      interrupted ||= said.includes('"PROTECTED"');
    },
  });
  assert.equal(ran.exit, 130);
  const lines = ran.stdout.trimEnd().split('\n');
  const parsed = lines.map((line) => JSON.parse(line) as { t: string; error?: { code: string } });
  assert.deepEqual(parsed.map(({ t }) => t).at(0), 'status');
  assert.deepEqual([parsed.at(-1)?.t, parsed.at(-1)?.error?.code], ['result', 'INTERRUPTED']);
});

test('a call that takes longer than --timeout leaves with 20', async () => {
  await using rig = await rigWith({ lock: () => new Promise(() => undefined), status: async () => STATUS });
  assert.equal((await rig.bb(['lock', '--timeout', '300ms'])).exit, 20);
});

/** A job of which these events come after the subscription; `running` is what the status says. */
function withJob(running: readonly StatusView['jobs'][number][], ...later: DaemonEvent[]): Partial<LocalApi> {
  return {
    status: async () => ({ ...STATUS, jobs: running }),
    async *events() {
      yield { ...event('job-started'), attributes: { job: 'set-1', kind: 'set' } };
      yield event('subscribed');
      yield* later;
    },
  };
}
const end = (job: string, outcome: string): DaemonEvent => ({ ...event('job-ended'), attributes: { job, outcome } });

test('jobs list names what runs', async () => {
  await using rig = await rigWith(withJob([READ]));
  assert.match((await rig.bb(['jobs', 'list'])).stdout, /^set-1 {2}read 512 B of 1\.0 KiB/);
  const [job] = (await rig.json(['jobs', 'list'])).body.data['jobs'] as unknown[];
  assert.deepEqual(job, { job: 'set-1', phase: 'read', done: 512, total: 1024, bytesPerSec: 256, etaSec: 2 });
  await rig.stop();
  await rig.start(withJob([]));
  assert.equal((await rig.bb(['jobs', 'list'])).stdout, 'nothing runs\n');
});

test('jobs attach follows one job to its end, and says how it ended', async () => {
  const other = { ...event('progress'), progress: { ...READ, job: 'pull-2' } };
  await using rig = await rigWith(withJob([READ], other, end('pull-2', 'failed'), end('set-1', 'done')));
  const ran = await rig.bb(['jobs', 'attach']);
  assert.deepEqual([ran.exit, ran.stdout], [0, 'set-1: done\n']);
  assert.equal(ran.stderr, '* read 512 B of 1.0 KiB (50 %), 256 B/s, 2 s left\n');
  const { lines, body } = await rig.json(['jobs', 'attach', 'set-1']);
  assert.deepEqual([lines.length, body.data], [2, { job: 'set-1', outcome: 'done' }]);
});

test('jobs attach: a job that fails is 3, one that ended meanwhile says so, one that never was is 19', async () => {
  await using rig = await rigWith(withJob([READ], end('set-1', 'failed')));
  assert.equal((await rig.bb(['jobs', 'attach', 'set-1'])).exit, 3);
  await rig.stop();
  await rig.start(withJob([], end('set-1', 'done')));
  assert.equal((await rig.bb(['jobs', 'attach', 'set-1'])).stdout, 'set-1: done\n');
  assert.equal((await rig.bb(['jobs', 'attach', 'set-9'])).exit, 19);
  assert.equal((await rig.bb(['jobs', 'attach'])).stderr.split('\n')[0], 'error: nothing runs');
  await rig.stop();
  await rig.start(withJob([READ, { ...READ, job: 'pull-2' }]));
  assert.equal((await rig.bb(['jobs', 'attach'])).exit, 2, 'several run');
});

test('events --follow prints each event as it comes', async () => {
  await using rig = await rigWith({
    async *events() {
      yield event('subscribed');
      yield { ...event('progress'), progress: READ };
    },
  });
  const { lines } = await rig.json(['events', '--follow']);
  assert.deepEqual(lines, [
    { t: 'event', sequence: 1, at: '1970-01-01T00:00:00.001Z', name: 'subscribed', attributes: {} },
    {
      ...{ t: 'event', sequence: 1, at: '1970-01-01T00:00:00.001Z', name: 'progress', attributes: {} },
      progress: { job: 'set-1', phase: 'read', done: 512, total: 1024, bytesPerSec: 256, etaSec: 2 },
    },
    { t: 'result', v: 1, ok: true, data: { events: 2, sequence: 1 }, warnings: [] },
  ]);
});

test('events call a peer by its name, and one without a name by the beginning of its id', async () => {
  const peer = 'a'.repeat(56);
  await using rig = await rigWith({
    async *events() {
      yield { ...event('peer-added'), attributes: { peer } };
      yield { ...event('check-judged'), attributes: { peer, outcome: 'held', name: 'ben' } };
      yield event('subscribed');
    },
  });
  const { stdout } = await rig.bb(['events']);
  assert.match(stdout, /peer-added peer=a{16}\.\.\.\n.*check-judged peer=ben outcome=held\n$/s);
  const { lines } = await rig.json(['events']);
  assert.deepEqual((lines[1] as { attributes: unknown }).attributes, { peer, outcome: 'held', name: 'ben' });
});
