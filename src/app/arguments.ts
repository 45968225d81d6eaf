// The command line of bbd.

import { parseArgs } from 'node:util';
import { BbError } from '../core/errors.ts';

export const USAGE = `Usage: bbd [options]

The BarterBackup daemon. It starts locked; bb init and bb unlock talk to it.

  --data-dir DIR       where everything is kept (BB_DATA_DIR, else the XDG data directory)
  --config FILE        configuration (config.toml in the data directory, else the XDG one)
  --socket PATH        socket for bb
  --tor-config FILE    lines to add to tor's configuration: bridges, transports, a test network
  --tor-binary PATH    which tor to start
  --tor-control PATH   use a running tor by its control socket and start none
  --log-level LEVEL    debug, info, warn or error
  --check-config       read the configuration, say what is wrong with it, and exit
  --print-unit         print a systemd unit, and exit
  --version            print the version, and exit
  --help               print this, and exit
`;

const OPTIONS = {
  'data-dir': { type: 'string' },
  config: { type: 'string' },
  socket: { type: 'string' },
  'tor-config': { type: 'string' },
  'tor-binary': { type: 'string' },
  'tor-control': { type: 'string' },
  'log-level': { type: 'string' },
  'check-config': { type: 'boolean' },
  'print-unit': { type: 'boolean' },
  version: { type: 'boolean' },
  help: { type: 'boolean' },
} as const;

export type Arguments = {
  readonly [name in keyof typeof OPTIONS]?: (typeof OPTIONS)[name]['type'] extends 'string' ? string : boolean;
};

/** USAGE for anything unknown. */
export function parseArguments(argv: readonly string[]): Arguments {
  try {
    return parseArgs({ args: [...argv], options: OPTIONS, strict: true, allowPositionals: false }).values;
  } catch (error) {
    throw new BbError('USAGE', error instanceof Error ? error.message : 'unknown option', {
      cause: error,
      hint: 'See bbd --help.',
    });
  }
}
