// bb init complete: ends a recovery; the node publishes again under a new generation.

import { BbError } from '../../src/core/errors.ts';
import type { Context, Options } from '../context.ts';
import { flagOption } from '../context.ts';
import { followRecovery } from '../follow-recovery.ts';
import type { Result } from '../output.ts';
import { requireConfirmation } from '../prompt.ts';

export async function run(context: Context, _args: readonly string[], options: Options): Promise<Result> {
  const acceptLoss = flagOption(options, 'acceptLoss');
  if (acceptLoss) {
    await requireConfirmation(context.settings, 'Give up for ever what no peer could give back?');
  }
  const last = await followRecovery(context, { from: undefined, complete: true, acceptSequence: 0n, acceptLoss });
  if (last.update?.done !== true && last.failure === undefined) {
    throw new BbError('CONFLICT', 'the daemon did not complete the recovery');
  }
  const result = { data: last.data, text: 'This node publishes again.' };
  return last.failure === undefined ? result : { data: last.data, failure: last.failure };
}
