// bb as a person runs it, against a scripted daemon behind the real local server. The installed package is run, or with
// BB_SOURCES=1, while developing, the sources.

import { spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { BbError } from '../../src/core/errors.ts';
import type { Entry } from '../../src/core/content/entry.ts';
import { ENTRY_KIND, NAMESPACE } from '../../src/core/content/entry.ts';
import type { LocalApi } from '../../src/daemon/local-api.ts';
import type { ReadItem } from '../../src/ports/workers.ts';
import { startLocalServer } from '../../src/rpc/local/server.ts';
import { keptLog } from '../net/kept-log.ts';
import { realClock } from '../net/real-clock.ts';
import { installPackage } from '../tidy/pack.ts';

export const BB =
  process.env['BB_SOURCES'] === undefined ? installPackage().bb : join(import.meta.dirname, '../../cli/bb.cjs');

/** Compiled code is shared by all runs, and so is not in the home that a test looks at. */
const COMPILED = join(import.meta.dirname, '../../.cache/compiled');

export type Ran = {
  readonly exit: number | null;
  readonly stdout: string;
  readonly stderr: string;
  readonly raw: Buffer;
};
export type RunOptions = {
  readonly input?: string | Buffer;
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
  /** Called with everything that stdout or stderr has said so far. */
  readonly onOutput?: (said: string, kill: (signal: NodeJS.Signals) => void) => void;
  /** What descriptor 3 gives. */
  readonly descriptor?: number;
  /** Program in front of bb, such as a pseudo-terminal. */
  readonly command?: readonly string[];
};

/** The environment of a person without a node: no directory of this machine is used. */
export function cleanEnv(home: string, more: Readonly<Record<string, string>> = {}): Record<string, string> {
  const path = `${dirname(process.execPath)}${delimiter}${process.env['PATH'] ?? ''}`;
  return { PATH: path, HOME: home, XDG_CACHE_HOME: COMPILED, LANG: 'C.UTF-8', ...more };
}

export function runCommand(command: readonly string[], home: string, options: RunOptions = {}): Promise<Ran> {
  return new Promise((resolve, reject) => {
    const child = spawn(command[0] as string, command.slice(1), {
      cwd: options.cwd ?? home,
      env: cleanEnv(home, options.env),
      stdio: ['pipe', 'pipe', 'pipe', options.descriptor ?? 'ignore'],
    });
    const [stdout, stderr]: [Buffer[], Buffer[]] = [[], []];
    const heard = (into: Buffer[]) => (part: Buffer) => {
      into.push(part);
      options.onOutput?.(Buffer.concat([...stdout, ...stderr]).toString(), (signal) => child.kill(signal));
    };
    child.stdout?.on('data', heard(stdout));
    child.stderr?.on('data', heard(stderr));
    child.once('error', reject);
    child.once('close', (exit) => {
      const raw = Buffer.concat(stdout);
      resolve({ exit, stdout: raw.toString(), stderr: Buffer.concat(stderr).toString(), raw });
    });
    // A command that does not read its input ends before it took all.
    child.stdin?.on('error', () => undefined);
    child.stdin?.end(options.input ?? '');
  });
}

export type Rig = {
  /** A fresh folder; the data directory is `node` in it. */
  readonly home: string;
  readonly dataDir: string;
  bb(args: readonly string[], options?: RunOptions): Promise<Ran>;
  /** The one JSON line of a command. */
  json(
    args: readonly string[],
    options?: RunOptions,
  ): Promise<{ exit: number | null; body: Envelope; lines: unknown[] }>;
  /** Starts (again) the scripted daemon. */
  start(script: Partial<LocalApi>): Promise<void>;
  stop(): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
};

export type Envelope = {
  readonly t?: string;
  readonly v: number;
  readonly ok: boolean;
  readonly data: Record<string, unknown>;
  readonly warnings?: readonly string[];
  readonly error?: { code: string; exit: number; message: string; hint: string; retryable: boolean };
};

export async function rigWith(script?: Partial<LocalApi>): Promise<Rig> {
  const home = await mkdtemp(join(tmpdir(), 'bb-cli-'));
  const dataDir = join(home, 'node');
  let stop = async (): Promise<void> => undefined;
  const rig: Rig = {
    home,
    dataDir,
    bb: (args, options) => runCommand([...(options?.command ?? []), BB, '--data-dir', dataDir, ...args], home, options),
    async json(args, options) {
      const ran = await rig.bb([...args, '--json'], options);
      const lines = ran.stdout
        .trimEnd()
        .split('\n')
        .map((line) => JSON.parse(line) as unknown);
      return { exit: ran.exit, body: lines.at(-1) as Envelope, lines };
    },
    async start(next) {
      const server = await startLocalServer({
        socketPath: join(dataDir, 'sock', 'bb.sock'),
        api: scripted(next),
        clock: realClock,
        logger: keptLog(),
        pid: process.pid,
        dataDir,
      });
      stop = () => server.close();
    },
    stop: () => stop(),
    async [Symbol.asyncDispose]() {
      await stop();
      await rm(home, { recursive: true, force: true });
    },
  };
  if (script !== undefined) await rig.start(script);
  return rig;
}

/** What the script does not answer is an error that names the call. */
function scripted(script: Partial<LocalApi>): LocalApi {
  return new Proxy({} as LocalApi, {
    get: (_target, name) =>
      Reflect.get(script, name) ??
      (() => {
        throw new BbError('CONFLICT', `the script does not answer ${String(name)}`);
      }),
  });
}

export const UNLOCKED = { health: () => ({ version: '0.1.0', state: 'UNLOCKED' as const }) };
export const LOCKED = { health: () => ({ version: '0.1.0', state: 'LOCKED' as const }) };
export const EMPTY = { health: () => ({ version: '0.1.0', state: 'NOT_INITIALISED' as const }) };

/** A file of the backup with its bytes, or a folder or link. */
export function entry(path: string | Buffer, fields: Partial<Entry> = {}): Entry {
  return {
    namespace: NAMESPACE.USER,
    kind: ENTRY_KIND.FILE,
    path: Buffer.from(path as string),
    size: 0,
    mtimeNs: 1_700_000_000_123_456_789n,
    mode: 0o640,
    uid: process.getuid?.() ?? 0,
    gid: process.getgid?.() ?? 0,
    owner: Buffer.alloc(0),
    group: Buffer.alloc(0),
    target: Buffer.alloc(0),
    marks: 0,
    sha256: Buffer.alloc(0),
    xattrs: [],
    holes: [],
    chunkIds: Buffer.alloc(0),
    extensions: [],
    ...fields,
  };
}

export const folder = (path: string, mode = 0o750): Entry => entry(path, { kind: ENTRY_KIND.FOLDER, mode });
export const symlink = (path: string, target: string): Entry =>
  entry(path, { kind: ENTRY_KIND.SYMLINK, mode: 0o777, target: Buffer.from(target) });
export const hardLink = (path: string, target: string): Entry =>
  entry(path, { kind: ENTRY_KIND.HARD_LINK, target: Buffer.from(target) });

/** The stream of GetFile for entries in order; a string is the bytes of the file before it. */
export async function* items(...parts: (Entry | string | Buffer)[]): AsyncGenerator<ReadItem> {
  for (const [at, part] of parts.entries()) {
    if (typeof part === 'string' || Buffer.isBuffer(part)) {
      yield { kind: 'data', bytes: Buffer.from(part as string) };
      continue;
    }
    const next = parts[at + 1];
    const bytes = typeof next === 'string' || Buffer.isBuffer(next) ? Buffer.from(next as string).length : part.size;
    yield { kind: 'entry', entry: { ...part, size: bytes } };
  }
}
