// The configuration: command line over file over defaults, every value checked before anything starts.

import { readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { resolve } from 'node:path';
import { parse } from 'smol-toml';
import { z } from 'zod';
import { BbError } from '../core/errors.ts';
import { nodePaths } from '../core/paths.ts';
import type { NodePaths } from '../core/paths.ts';
import { TIME_DIVISOR_MAX } from '../core/policy/periods.ts';
import { testingNetwork } from '../net/tor/torrc.ts';
import type { Arguments } from './arguments.ts';

const LEVELS = ['debug', 'info', 'warn', 'error'] as const;

const FILE = z.strictObject({
  log: z.strictObject({ level: z.enum(LEVELS).optional() }).optional(),
  tor: z
    .strictObject({
      config: z.string().optional(),
      binary: z.string().optional(),
      control: z.string().optional(),
    })
    .optional(),
  test: z.strictObject({ time_divisor: z.int().min(1).max(TIME_DIVISOR_MAX).optional() }).optional(),
});

export type Config = {
  readonly paths: NodePaths;
  readonly logLevel: (typeof LEVELS)[number];
  readonly torBinary: string | undefined;
  /** Control socket of a running tor; undefined = start our own. */
  readonly torControl: string | undefined;
  /** Lines for the torrc of our own tor. */
  readonly torLines: string;
  readonly timeDivisor: number;
};

/** BAD_CONFIG names the file and the key; a time divisor outside of a test network is refused, too. */
export function readConfig(args: Arguments): Config {
  const paths = nodePaths(
    { dataDir: args['data-dir'], configFile: args.config, socket: args.socket },
    { env: process.env, home: homedir(), uid: process.getuid?.() ?? 0, absolute: (path) => resolve(path) },
  );
  const file = readFile(paths.configFile, args.config !== undefined);
  const level = LEVELS.find((known) => known === (args['log-level'] ?? file.log?.level ?? 'info'));
  if (level === undefined) {
    throw new BbError('USAGE', `--log-level is one of ${LEVELS.join(', ')}`, { hint: 'See bbd --help.' });
  }
  const torConfig = args['tor-config'] ?? file.tor?.config;
  const torLines = torConfig === undefined ? '' : readText(resolve(torConfig), 'the file of --tor-config');
  const torControl = args['tor-control'] ?? file.tor?.control;
  const timeDivisor = file.test?.time_divisor ?? 1;
  if (timeDivisor !== 1) requireTestNetwork(torLines, torControl);
  return {
    paths,
    logLevel: level,
    torBinary: args['tor-binary'] ?? file.tor?.binary,
    torControl,
    torLines,
    timeDivisor,
  };
}

/** BAD_CONFIG unless the tor that we start is on a test network; of a running tor nothing says that it is. */
function requireTestNetwork(torLines: string, torControl: string | undefined): void {
  const hint = 'Remove time_divisor from the configuration.';
  if (torControl !== undefined) {
    throw new BbError('BAD_CONFIG', '[test] time_divisor is not for a running tor (--tor-control)', { hint });
  }
  if (!testingNetwork(torLines)) {
    throw new BbError('BAD_CONFIG', '[test] time_divisor is only for test networks (TestingTorNetwork 1)', { hint });
  }
}

function readFile(path: string, isRequired: boolean): z.infer<typeof FILE> {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    if (!isRequired && error instanceof Error && 'code' in error && error.code === 'ENOENT') return {};
    throw new BbError('BAD_CONFIG', `the configuration file cannot be read: ${path}`, { cause: error });
  }
  let table: unknown;
  try {
    table = parse(text);
  } catch (error) {
    const detail = error instanceof Error ? (error.message.split('\n')[0] ?? '') : '';
    throw new BbError('BAD_CONFIG', `${path}: ${detail}`, { cause: error });
  }
  const checked = FILE.safeParse(table);
  if (checked.success) return checked.data;
  const [issue] = checked.error.issues;
  throw new BbError('BAD_CONFIG', `${path}: ${issue === undefined ? 'not valid' : issueText(issue)}`);
}

function issueText(issue: z.core.$ZodIssue): string {
  if (issue.code !== 'unrecognized_keys') return `${issue.path.join('.')}: ${issue.message}`;
  return `there is no setting ${issue.keys.map((key) => `"${[...issue.path, key].join('.')}"`).join(', ')}`;
}

function readText(path: string, what: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    throw new BbError('BAD_CONFIG', `${what} cannot be read: ${path}`, { cause: error });
  }
}
