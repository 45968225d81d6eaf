// The local server itself: error codes, limits, event streams and the socket.

import assert from 'node:assert/strict';
import { mkdir, mkdtemp, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { status } from '@grpc/grpc-js';
import type { ServiceError } from '@grpc/grpc-js';
import { BbError, ERRORS, isBbError } from '../../src/core/errors.ts';
import type { ErrorCode } from '../../src/core/errors.ts';
import { LOCAL_MESSAGE_BYTES, SOCKET_PATH_BYTES } from '../../src/core/limits.ts';
import { PeerRefusal } from '../../src/core/refusal.ts';
import type { DaemonEvent, LocalApi } from '../../src/daemon/local-api.ts';
import { startLocalServer } from '../../src/rpc/local/server.ts';
import { silentLogger } from './rpc-peer-fixture.ts';
import { rigOf, ask, streamed, coded } from './rpc-local-fixture.ts';

test('events run until the reader leaves, and end when the daemon closes', async () => {
  const event: DaemonEvent = {
    sequence: 1,
    atMs: 2,
    name: 'check-judged',
    attributes: { peer: 'x' },
    progress: undefined,
  };
  const signals: AbortSignal[] = [];
  let left: (() => void) | undefined;
  const gone = new Promise<void>((resolve) => (left = resolve));
  await using rig = await rigOf({
    events: async function* (withProgress, signal) {
      assert.equal(withProgress, true);
      signals.push(signal);
      yield event;
      await new Promise((resolve) => signal.addEventListener('abort', resolve));
      left?.();
    },
  });
  const first = rig.client.events({ progress: true });
  first.on('error', () => undefined);
  for await (const message of first as AsyncIterable<{ name: string; attributes: object }>) {
    assert.equal(message.name, 'check-judged');
    assert.deepEqual(message.attributes, { peer: 'x' });
    break;
  }
  first.cancel();
  await gone;
  assert.equal(signals[0]?.aborted, true);

  const second = rig.client.events({ progress: true });
  const rest = streamed(second);
  await new Promise((resolve) => second.once('metadata', resolve));
  await rig.server.close();
  assert.equal((await rest).length, 1);
});

test('each error code has its status, its message and its hint', async () => {
  let next: unknown;
  await using rig = await rigOf({ lock: () => Promise.reject(next) });
  const lock = (): Promise<unknown> => ask(rig.client, 'lock', {});
  for (const [code, row] of Object.entries(ERRORS)) {
    next = new BbError(code as ErrorCode, 'naïve message: 100 % of "it"\u{1f600}');
    await assert.rejects(lock(), (error: ServiceError) => {
      assert.equal(error.code, row.grpc, code);
      assert.equal(error.metadata.get('bb-code')[0], code);
      assert.equal(error.metadata.get('bb-hint')[0], row.hint);
      assert.equal(error.details, code === 'INTERNAL' ? 'the daemon failed' : (next as Error).message);
      return true;
    });
  }
  next = new BbError('NOT_FOUND', 'half a pair \ud800', { hint: 'see ünder\nthere' });
  await assert.rejects(lock(), (error: ServiceError) => error.metadata.get('bb-hint')[0] === 'see ?nder?there');
  next = new PeerRefusal('NO_CONTRACT');
  await assert.rejects(lock(), coded('REFUSED_BY_PEER'));
  next = new Error('a path such as /home/somebody');
  await assert.rejects(
    lock(),
    (error: ServiceError) => error.details === 'the daemon failed' && coded('INTERNAL')(error),
  );
});

test('what this version cannot do says so', async () => {
  await using rig = await rigOf({});
  const request = { peer: undefined, password: '' };
  await assert.rejects(ask(rig.client, 'setAeadKeyForPeer', request), coded('UNIMPLEMENTED'));
  const chat = rig.client.chat();
  await assert.rejects(streamed(chat as never), coded('UNIMPLEMENTED'));
});

test('a message beyond the limit is refused', async () => {
  await using rig = await rigOf({});
  await assert.rejects(
    ask(rig.client, 'unlock', { mainPassword: Buffer.alloc(LOCAL_MESSAGE_BYTES) }),
    (error: ServiceError) => error.code === status.RESOURCE_EXHAUSTED,
  );
});

test('the socket belongs to its user; a dead one is replaced, a living one is not', async () => {
  await using rig = await rigOf({ health: () => ({ version: '1', state: 'LOCKED' }) });
  assert.equal((await stat(rig.socketPath)).mode & 0o777, 0o600);
  assert.equal((await stat(dirname(rig.socketPath))).mode & 0o777, 0o700);
  const options = { api: {} as LocalApi, clock: rig.clock, logger: silentLogger, pid: 1, dataDir: '/data' };
  await assert.rejects(startLocalServer({ ...options, socketPath: rig.socketPath }), (error: unknown) =>
    isBbError(error, 'DATA_DIR_IN_USE'),
  );

  const directory = await mkdtemp(join(tmpdir(), 'bb-cli-'));
  try {
    const dead = join(directory, 'dead');
    await leaveDeadSocket(dead);
    assert.equal((await stat(dead)).isSocket(), true);
    await (await startLocalServer({ ...options, socketPath: dead })).close();

    const unusable = (error: unknown): boolean => isBbError(error, 'UNUSABLE_ENVIRONMENT');
    const file = join(directory, 'file');
    await writeFile(file, '');
    await assert.rejects(startLocalServer({ ...options, socketPath: file }), unusable);
    await mkdir(join(directory, 'open'), { mode: 0o755 });
    await assert.rejects(startLocalServer({ ...options, socketPath: join(directory, 'open', 's') }), unusable);

    const longest = join(directory, 'x'.repeat(SOCKET_PATH_BYTES - directory.length - 1));
    await (await startLocalServer({ ...options, socketPath: longest })).close();
    await assert.rejects(startLocalServer({ ...options, socketPath: `${longest}x` }), unusable);
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
});

/** A socket file that nobody listens on, as kill -9 leaves it. */
async function leaveDeadSocket(path: string): Promise<void> {
  const { execFileSync } = await import('node:child_process');
  const script = `require('net').createServer().listen(${JSON.stringify(path)}, () => process.kill(process.pid, 'SIGKILL'))`;
  try {
    execFileSync(process.execPath, ['-e', script], { stdio: 'ignore' });
  } catch {
    // It was killed, as intended.
  }
}
