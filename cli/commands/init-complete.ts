// bb init complete: ends a recovery; the node publishes again under a new generation.

import { BbError } from '../../src/core/errors.ts';
import { NodeMode } from '../../src/gen/clirpc/v1/clirpc.ts';
import type { RecoverContentUpdate } from '../../src/gen/clirpc/v1/clirpc.ts';
import type { Context, Options } from '../context.ts';
import { flagOption } from '../context.ts';
import { followRecovery, missingText } from '../follow-recovery.ts';
import type { Result } from '../output.ts';
import { requireConfirmation } from '../prompt.ts';
import { safeText } from '../safe-text.ts';

export async function run(context: Context, _args: readonly string[], options: Options): Promise<Result> {
  const acceptLoss = flagOption(options, 'acceptLoss');
  if (acceptLoss) {
    await requireConfirmation(context.settings, 'Give up for ever what no peer could give back?');
  }
  const { update, data, failure } = await followRecovery(context, {
    from: undefined,
    complete: true,
    acceptSequence: 0n,
    acceptLoss,
  });
  if (update?.mode === NodeMode.NODE_MODE_NORMAL && update.done) return { data, text: doneText(update, acceptLoss) };
  return { data, failure: update === undefined ? (failure ?? notYet('')) : notYet(update.waitingFor) };
}

/** Done is done, with losses or without: the user said so. */
function doneText(update: RecoverContentUpdate, acceptLoss: boolean): string {
  if (update.missingFiles === 0n) return 'This node publishes again.';
  const missing = missingText(update.missingFiles);
  return acceptLoss
    ? `This node publishes again. ${missing} not brought back and given up.`
    : `This node publishes again. ${missing} not brought back: set again what you have, or give it up with --accept-loss.`;
}

function notYet(waitingFor: string): BbError {
  const why = waitingFor === '' ? 'the recovery is not at its end' : `it waits for ${safeText(waitingFor)}`;
  return new BbError('PUBLISH_BLOCKED', `this node does not publish yet: ${why}`, {
    hint: 'Nothing of this call is remembered; the recovery goes on by itself. Watch it: bb recover --wait',
  });
}
