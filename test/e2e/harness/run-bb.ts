// Runs the installed bb as a script would: no terminal, one command, its exit code and what it wrote.

import { spawn } from 'node:child_process';
import { delimiter, dirname } from 'node:path';

export type BbOptions = {
  readonly stdin?: string | Buffer;
  /** Kills a bb that hangs; a test never waits longer than this for one command. */
  readonly limitMs?: number;
  /** Every whole line of stdout as it comes. */
  readonly onLine?: (line: string) => void;
  /** User and group of the process; those of the test by default. */
  readonly uid?: number;
};

export type BbRun = {
  /** 0 to 255; -1 when bb was killed because it hung. */
  readonly exit: number;
  readonly stdout: Buffer;
  readonly stderr: string;
};

export type Envelope = {
  readonly ok: boolean;
  readonly data: Record<string, unknown>;
  readonly error?: { readonly code: string; readonly exit: number; readonly message: string; readonly hint: string };
};

const LIMIT_MS = 300_000;

export function runBb(program: string, args: readonly string[], options: BbOptions = {}): Promise<BbRun> {
  const path = [dirname(program), dirname(process.execPath), process.env['PATH'] ?? ''].join(delimiter);
  const user = options.uid === undefined ? {} : { uid: options.uid, gid: options.uid };
  const child = spawn(program, args, { stdio: 'pipe', env: { ...process.env, PATH: path }, ...user });
  const stdout: Buffer[] = [];
  let stderr = '';
  let rest = '';
  child.stdout.on('data', (bytes: Buffer) => {
    stdout.push(bytes);
    if (options.onLine === undefined) return;
    const lines = (rest + bytes.toString('utf8')).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) options.onLine(line);
  });
  child.stderr.on('data', (bytes: Buffer) => {
    stderr += bytes.toString('utf8');
  });
  child.stdin.on('error', () => undefined); // a bb that refuses at once does not read its input
  child.stdin.end(options.stdin ?? '');
  const killer = setTimeout(() => child.kill('SIGKILL'), options.limitMs ?? LIMIT_MS);
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (status) => {
      clearTimeout(killer);
      resolve({ exit: status ?? -1, stdout: Buffer.concat(stdout), stderr });
    });
  });
}

/** The one envelope of --json: the last line, progress lines before it apart. */
export function envelopeOf(run: BbRun): Envelope {
  const last = run.stdout.toString('utf8').trimEnd().split('\n').at(-1) ?? '';
  try {
    return JSON.parse(last) as Envelope;
  } catch (cause) {
    throw new Error(`bb wrote no envelope (exit ${run.exit}): ${last}\n${run.stderr}`, { cause });
  }
}
