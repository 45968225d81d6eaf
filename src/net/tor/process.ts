// A tor process of our own. It runs in a process group of its own (Ctrl-C at bbd must not take it first), and ends with us:
// by close(), by the control connection that owns it, or, should both fail, because it watches our process id.

import { spawn } from 'node:child_process';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { BbError } from '../../core/errors.ts';
import { TOR_LOG_TAIL_BYTES } from '../../core/limits.ts';
import { controlSocketOf, socksSocketOf, torrcText } from './torrc.ts';
import type { TorFiles } from './torrc.ts';

export type TorProcess = {
  readonly pid: number;
  /** Resolves when the process is gone. */
  readonly exited: Promise<void>;
  /** The last lines tor wrote. */
  logTail(): string;
  kill(): Promise<void>;
};

/** Starts tor; TOR_UNREACHABLE when the system refuses. Whether tor likes its configuration shows in `exited`. */
export async function startTor(binary: string, files: TorFiles, extraLines: string): Promise<TorProcess> {
  await mkdir(files.stateDir, { recursive: true, mode: 0o700 });
  for (const stale of [controlSocketOf(files), socksSocketOf(files)]) await rm(stale, { force: true });
  const torrc = join(files.stateDir, 'torrc');
  const defaults = join(files.stateDir, 'torrc-defaults');
  await writeFile(torrc, torrcText(files, extraLines, process.pid), { mode: 0o600 });
  await writeFile(defaults, '', { mode: 0o600 });

  const child = spawn(binary, ['-f', torrc, '--defaults-torrc', defaults, '--hush'], {
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true,
  });
  let tail = '';
  const keep = (bytes: Buffer): void => {
    tail = (tail + bytes.toString('utf8')).slice(-TOR_LOG_TAIL_BYTES);
  };
  child.stdout.on('data', keep);
  child.stderr.on('data', keep);
  const exited = new Promise<void>((resolve) => {
    child.once('close', () => resolve());
    child.once('error', () => resolve());
  });
  const { pid } = child;
  if (pid === undefined) {
    await exited;
    throw new BbError('TOR_UNREACHABLE', 'tor could not be started');
  }
  return {
    pid,
    exited,
    logTail: () => tail,
    kill: async () => {
      child.kill('SIGKILL');
      await exited;
    },
  };
}
