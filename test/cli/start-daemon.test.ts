// Starting a daemon in the background: bb waits for its socket, and says what the log says when it does not come.

import assert from 'node:assert/strict';
import { chmod, mkdir, mkdtemp, readFile, rm, stat } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { DaemonClient } from '../../cli/client.ts';
import { answers, startDaemon } from '../../cli/start-daemon.ts';
import { nodePaths } from '../../src/core/paths.ts';
import type { NodePaths } from '../../src/core/paths.ts';

const LISTENS = `
  const { createServer } = require('node:net');
  const socket = process.argv[2] + '/sock/bb.sock';
  console.log('hello from', process.cwd());
  const server = createServer((connection) => connection.end()).listen(socket);
  process.on('SIGTERM', () => server.close(() => process.exit(0)));
  console.log('pid=' + process.pid);
`;
const { signal } = new AbortController();

async function inFolder(run: (paths: NodePaths) => Promise<void>): Promise<void> {
  const home = await mkdtemp(join(tmpdir(), 'bb-start-'));
  try {
    const absolute = (path: string): string => path;
    await run(nodePaths({ dataDir: join(home, 'node') }, { env: {}, home, uid: 1, absolute }));
  } finally {
    await rm(home, { recursive: true, force: true });
  }
}

test('the daemon is found when its socket answers, outlives the start, and writes its log', async () => {
  await inFolder(async (paths) => {
    await startDaemon({ paths, signal, command: [process.execPath, '-e', LISTENS, '--'] });
    assert.equal(await answers(paths.socket), true);
    const log = await readFile(paths.logFile, 'utf8');
    assert.match(log, /^hello from \/\n/);
    assert.equal((await stat(paths.dataDir)).mode & 0o777, 0o700);
    assert.equal((await stat(paths.logFile)).mode & 0o777, 0o600);
    process.kill(Number(/pid=(\d+)/.exec(log)?.[1]), 'SIGTERM');
  });
});

test('a daemon that ends at once is reported with the end of this log, not of an earlier one', async () => {
  await inFolder(async (paths) => {
    const ends = (text: string) => [
      process.execPath,
      '-e',
      `console.error(${JSON.stringify(text)}); process.exit(69)`,
      '--',
    ];
    await assert.rejects(startDaemon({ paths, signal, command: ends('first trouble') }), /exit 69.*\nfirst trouble/s);
    await assert.rejects(startDaemon({ paths, signal, command: ends('second\u001b[2J') }), (error: Error) => {
      assert.ok(!error.message.includes('first'), error.message);
      assert.match(error.message, /second\\x1b\[2J/);
      return true;
    });
    await assert.rejects(startDaemon({ paths, signal, command: ['/does/not/exist'] }), { code: 'DAEMON_NOT_RUNNING' });
  });
});

test('Ctrl-C ends the wait', async () => {
  await inFolder(async (paths) => {
    const interrupt = new AbortController();
    const command = [process.execPath, '-e', 'setTimeout(() => {}, 3000)', '--'];
    const started = startDaemon({ paths, signal: interrupt.signal, command });
    setImmediate(() => interrupt.abort());
    await assert.rejects(started, { code: 'INTERRUPTED' });
  });
});

test('a socket in a folder that others may write to is not talked to', async () => {
  await inFolder(async (paths) => {
    const folder = join(paths.dataDir, 'sock');
    await mkdir(folder, { recursive: true, mode: 0o700 });
    const server = createServer().listen(paths.socket);
    await new Promise((resolve) => server.once('listening', resolve));
    const open = () => DaemonClient.open({ socket: paths.socket, timeoutMs: undefined, signal });
    try {
      (await open()).close();
      await chmod(folder, 0o770);
      await assert.rejects(open(), { code: 'UNUSABLE_ENVIRONMENT' });
    } finally {
      server.close();
    }
  });
});
