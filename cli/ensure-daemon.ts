// init and unlock work without a daemon: they start one in the background, unless --no-start says otherwise.

import { BbError } from '../src/core/errors.ts';
import { BarterBackupClientService as Service } from '../src/gen/clirpc/v1/clirpc.ts';
import type { LocalHealthCheckResponse } from '../src/gen/clirpc/v1/clirpc.ts';
import type { Context, Options } from './context.ts';
import { answers, startDaemon } from './start-daemon.ts';

/** Says in which state the daemon is that answers now. DAEMON_NOT_RUNNING with --no-start, or when it did not start. */
export async function ensureDaemon(context: Context, options: Options): Promise<LocalHealthCheckResponse> {
  if (!(await answers(context.paths.socket))) {
    if (options['start'] === false) {
      throw new BbError('DAEMON_NOT_RUNNING', 'no daemon runs for this data directory', {
        hint: 'Start it with bbd, or leave out --no-start.',
      });
    }
    await startDaemon({ paths: context.paths, signal: context.signal });
    context.out.note(`Started the daemon in the background; its log is ${context.paths.logFile}`);
  }
  return (await context.client()).unary(Service.localHealthCheck, {});
}
