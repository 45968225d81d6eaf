// The life of the process: from the configuration to the exit code. SIGTERM and SIGINT end it cleanly;
// a broken invariant is logged and ends it, too.

import { userInfo } from 'node:os';
import { BbError, ERRORS, toBbError } from '../core/errors.ts';
import { parseArguments, USAGE } from './arguments.ts';
import { compose } from './compose.ts';
import { readConfig } from './config.ts';
import { pinoLogger } from './pino-logger.ts';
import { systemdUnit } from './unit.ts';
import { packageVersion } from './version.ts';

/** Runs bbd; resolves with its exit code. */
export async function run(argv: readonly string[]): Promise<number> {
  try {
    return await runOrThrow(argv);
  } catch (error) {
    const known = toBbError(error);
    process.stderr.write(`error: ${known.message}\nhint: ${known.hint}\n`);
    if (known.code === 'INTERNAL') process.stderr.write(`${error instanceof Error ? error.stack : String(error)}\n`);
    return ERRORS[known.code].exit;
  }
}

async function runOrThrow(argv: readonly string[]): Promise<number> {
  const args = parseArguments(argv);
  if (args.help === true) return print(USAGE);
  if (args.version === true) return print(`bbd ${packageVersion()}\n`);
  const config = readConfig(args);
  if (args['print-unit'] === true) return print(unitFor(config.paths.dataDir));
  if (args['check-config'] === true) return print(`configuration ok: ${config.paths.dataDir}\n`);
  process.umask(0o077);
  const log = pinoLogger(config.logLevel);
  const stopped = stopSignal();
  const running = await compose(config, log);
  log.info('started', { version: packageVersion(), timeDivisor: config.timeDivisor });
  if (config.timeDivisor !== 1) log.warn('test network: all periods are divided', { by: config.timeDivisor });
  try {
    await Promise.race([stopped, running.broken]);
    return 0;
  } catch (error) {
    log.error('stopping because of a fault', { detail: String(error) });
    throw new BbError('INTERNAL', 'the daemon met a fault and stopped', { cause: error });
  } finally {
    await running.close();
    log.info('stopped');
  }
}

/** Resolves at SIGTERM or SIGINT; a second one ends the process at once. Rejects when nobody caught an error. */
function stopSignal(): Promise<void> {
  return new Promise((resolve, reject) => {
    for (const name of ['SIGTERM', 'SIGINT'] as const) {
      process.on(name, () => {
        resolve();
        process.on(name, () => process.exit(130));
      });
    }
    process.on('SIGHUP', () => undefined);
    process.on('uncaughtException', reject);
    process.on('unhandledRejection', reject);
  });
}

function unitFor(dataDir: string): string {
  return systemdUnit(process.argv[1] ?? 'bbd', dataDir, userInfo().username);
}

function print(text: string): number {
  process.stdout.write(text);
  return 0;
}
