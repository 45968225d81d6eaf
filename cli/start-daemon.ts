// Starts bbd in the background for init and unlock, and waits until its socket answers.
// Invariant: nothing is asked on time; the wait ends when the socket appears or the process ends, and shows the log then.

import { spawn } from 'node:child_process';
import type { ChildProcess, StdioOptions } from 'node:child_process';
import { watch } from 'node:fs';
import { open } from 'node:fs/promises';
import { createConnection } from 'node:net';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { BbError } from '../src/core/errors.ts';
import type { NodePaths } from '../src/core/paths.ts';
import { cliError } from './errors.ts';
import { safeText } from './safe-text.ts';
import { makeFolders } from './make-folders.ts';

const START_FILE = fileURLToPath(new URL('../src/bbd.cjs', import.meta.url));
const START_MS = 60_000;
const LOG_TAIL_BYTES = 4096;
const LOG_TAIL_LINES = 15;
const OWNER_ONLY_FOLDER = 0o700;
const OWNER_ONLY_FILE = 0o600;

export type DaemonStart = {
  readonly paths: NodePaths;
  /** Program and leading arguments; the built bbd by default. */
  readonly command?: readonly string[];
  readonly signal: AbortSignal;
};

/** True when a process accepts connections on the socket. */
export function answers(socket: string): Promise<boolean> {
  return new Promise((resolve) => {
    const connection = createConnection(socket);
    connection.once('connect', () => {
      connection.destroy();
      resolve(true);
    });
    connection.once('error', () => resolve(false));
  });
}

/** Resolves when the daemon answers. DAEMON_NOT_RUNNING with the end of its log when it ended before that. */
export async function startDaemon(start: DaemonStart): Promise<void> {
  const { paths, signal } = start;
  const command = start.command ?? [process.execPath, START_FILE];
  const folders = [paths.dataDir, dirname(paths.socket), dirname(paths.logFile)];
  for (const folder of folders) {
    await makeFolders(folder, OWNER_ONLY_FOLDER).catch((error: unknown) => {
      throw cliError(error);
    });
  }
  const log = await open(paths.logFile, 'a+', OWNER_ONLY_FILE);
  try {
    const { size: logStart } = await log.stat();
    const args = [...command.slice(1), '--data-dir', paths.dataDir];
    const stdio: StdioOptions = ['ignore', log.fd, log.fd];
    const child = spawn(command[0] as string, args, { detached: true, stdio, cwd: '/' });
    const running = await untilAnswers(child, paths.socket, signal);
    child.unref();
    if (running === 'answers' || (await answers(paths.socket))) return;
    const tail = await logTail(log, logStart);
    throw new BbError('DAEMON_NOT_RUNNING', `the daemon did not start (${running})${tail}`, {
      hint: 'Correct what its log says, or run bbd yourself to see more.',
    });
  } finally {
    await log.close();
  }
}

function untilAnswers(child: ChildProcess, socket: string, signal: AbortSignal): Promise<string> {
  return new Promise((resolve, reject) => {
    const ended = new AbortController();
    const end = (finish: () => void): void => {
      if (ended.signal.aborted) return;
      ended.abort();
      watcher.close();
      clearTimeout(timer);
      finish();
    };
    const look = (): void => {
      void answers(socket).then((yes) => {
        if (yes) end(() => resolve('answers'));
      });
    };
    const watcher = watch(dirname(socket), look);
    const timer = setTimeout(() => end(() => resolve('it took too long')), START_MS);
    child.once('error', (error) => end(() => resolve(error.message)));
    child.once('exit', (status, byName) => end(() => resolve(byName ?? `exit ${status}`)));
    const interrupted = (): void => end(() => reject(new BbError('INTERRUPTED', 'interrupted')));
    signal.addEventListener('abort', interrupted, { signal: ended.signal });
    if (signal.aborted) interrupted();
    look();
  });
}

/** The last lines of what this start wrote, each below the message. */
async function logTail(log: Awaited<ReturnType<typeof open>>, from: number): Promise<string> {
  const { size } = await log.stat();
  const start = Math.max(from, size - LOG_TAIL_BYTES);
  const { buffer, bytesRead } = await log.read(Buffer.alloc(LOG_TAIL_BYTES), 0, LOG_TAIL_BYTES, start);
  const lines = buffer.subarray(0, bytesRead).toString('utf8').trimEnd().split('\n').slice(-LOG_TAIL_LINES);
  return lines[0] === '' ? '' : `; its log ends with:\n${lines.map(safeText).join('\n')}`;
}
