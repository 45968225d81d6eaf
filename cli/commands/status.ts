// bb status: the one question. --wait and --watch follow the daemon's events.

import { BbError } from '../../src/core/errors.ts';
import { BarterBackupClientService as Service, NodeState, Verdict } from '../../src/gen/clirpc/v1/clirpc.ts';
import type { StatusResponse } from '../../src/gen/clirpc/v1/clirpc.ts';
import type { Context, Options } from '../context.ts';
import { flagOption, textOption } from '../context.ts';
import type { Result } from '../output.ts';
import { statusText } from '../status-text.ts';
import { statusView } from '../views.ts';
import { watchStatus } from '../watch-status.ts';

const CLEAR_SCREEN = '\u001b[H\u001b[2J';

type Waited = (status: StatusResponse) => boolean;

const WAITED: Readonly<Record<string, Waited>> = {
  protected: (status) => status.verdict === Verdict.VERDICT_PROTECTED,
  idle: (status) => status.jobs.length === 0 && !status.pending,
};

export async function run(context: Context, _args: readonly string[], options: Options): Promise<Result> {
  const wait = textOption(options, 'wait');
  const watches = flagOption(options, 'watch');
  if (wait !== undefined && watches) throw new BbError('USAGE', 'use either --wait or --watch');
  if (watches) return watch(context);
  const status =
    wait === undefined ? await (await context.client()).unary(Service.status, {}) : await waitFor(context, wait);
  const result = resultOf(status, context);
  if (!flagOption(options, 'check')) return result;
  const failure = checkFailure(status);
  return failure === undefined ? result : { ...result, failure };
}

async function waitFor(context: Context, what: string): Promise<StatusResponse> {
  const reached = WAITED[what];
  if (reached === undefined) throw new BbError('USAGE', '--wait takes "protected" or "idle"');
  for await (const status of watchStatus(context, !context.settings.json)) {
    requireUnlocked(status);
    if (reached(status)) return status;
  }
  throw new BbError('DAEMON_NOT_RUNNING', 'the daemon ended');
}

async function watch(context: Context): Promise<Result> {
  const { out } = context;
  for await (const status of watchStatus(context, false)) {
    out.line({ t: 'status', data: statusView(status) });
    const clear = process.stdout.isTTY === true ? CLEAR_SCREEN : '';
    out.print(`${clear}${statusText(status, out.colors, Date.now())}`);
  }
  throw new BbError('DAEMON_NOT_RUNNING', 'the daemon ended');
}

function requireUnlocked(status: StatusResponse): void {
  if (status.state === NodeState.NODE_STATE_NOT_INITIALISED) {
    throw new BbError('NOT_INITIALISED', 'this data directory has no identity yet');
  }
  if (status.state === NodeState.NODE_STATE_LOCKED) throw new BbError('LOCKED', 'the node is locked');
}

function checkFailure(status: StatusResponse): BbError | undefined {
  requireUnlocked(status);
  if (status.verdict === Verdict.VERDICT_PROTECTED) return undefined;
  const [reason] = status.reasons;
  const hint = reason === undefined || reason.next === '' ? {} : { hint: reason.next };
  return new BbError('NOT_PROTECTED', reason?.message ?? 'no verified copy', hint);
}

function resultOf(status: StatusResponse, context: Context): Result {
  return { data: statusView(status), text: statusText(status, context.out.colors, Date.now()) };
}
