// Where one node keeps its things. `bb` finds its daemon and `bbd` its files by this one function, so they cannot disagree.
// An explicit data directory holds everything; without one the XDG base directories are used.
// Invariant: two different data directories never share a socket, so several daemons run under one account.

import { sha256 } from '@noble/hashes/sha2.js';
import { SOCKET_PATH_BYTES } from './limits.ts';

export type PathSources = {
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Home directory of the user. */
  readonly home: string;
  /** Numeric user id; it names the runtime directory where the system gives none. */
  readonly uid: number;
  /** Makes a path absolute, as `resolve` of `node:path` does. */
  readonly absolute: (path: string) => string;
};

export type PathChoices = {
  readonly dataDir?: string | undefined;
  readonly configFile?: string | undefined;
  readonly socket?: string | undefined;
};

export type NodePaths = {
  readonly dataDir: string;
  readonly configFile: string;
  readonly socket: string;
  readonly logFile: string;
};

const APP = 'barterbackup';
const HASH_BYTES = 8;

/**
 * Absolute paths of a node. `choices` come from the command line, then `BB_DATA_DIR`, then XDG. The socket lies in the data
 * directory, or, where its path would be longer than a Unix socket allows, in the runtime directory under a hash of it.
 */
export function nodePaths(choices: PathChoices, sources: PathSources): NodePaths {
  const chosen = choices.dataDir ?? nonEmpty(sources.env['BB_DATA_DIR']);
  const dataDir = sources.absolute(chosen ?? `${base(sources, 'XDG_DATA_HOME', '.local/share')}/${APP}`);
  const own = chosen !== undefined;
  const configFile = own
    ? `${dataDir}/config.toml`
    : `${base(sources, 'XDG_CONFIG_HOME', '.config')}/${APP}/config.toml`;
  const logFile = own ? `${dataDir}/bbd.log` : `${base(sources, 'XDG_STATE_HOME', '.local/state')}/${APP}/bbd.log`;
  return {
    dataDir,
    configFile: choices.configFile === undefined ? configFile : sources.absolute(choices.configFile),
    socket: choices.socket === undefined ? socketOf(dataDir, sources) : sources.absolute(choices.socket),
    logFile,
  };
}

function socketOf(dataDir: string, sources: PathSources): string {
  const near = `${dataDir}/sock/bb.sock`;
  if (utf8Bytes(near) <= SOCKET_PATH_BYTES) return near;
  const digest = sha256(new TextEncoder().encode(dataDir)).subarray(0, HASH_BYTES);
  const runtime = absoluteOnly(sources.env['XDG_RUNTIME_DIR']) ?? `/tmp/${APP}-${sources.uid}`;
  return `${runtime}/${APP}-${Buffer.from(digest).toString('hex')}/bb.sock`;
}

function base(sources: PathSources, variable: string, fallback: string): string {
  return absoluteOnly(sources.env[variable]) ?? `${sources.home}/${fallback}`;
}

/** The XDG specification says that a relative path in these variables is to be ignored. */
function absoluteOnly(value: string | undefined): string | undefined {
  return value?.startsWith('/') ? value.replace(/\/+$/, '') : undefined;
}

function nonEmpty(value: string | undefined): string | undefined {
  return value === '' ? undefined : value;
}

function utf8Bytes(text: string): number {
  return new TextEncoder().encode(text).length;
}
