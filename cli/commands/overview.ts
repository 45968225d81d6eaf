// Bare `bb`: the verdict, or where nothing is set up yet the first steps.

import { isBbError } from '../../src/core/errors.ts';
import { BarterBackupClientService as Service, NodeState } from '../../src/gen/clirpc/v1/clirpc.ts';
import type { Context } from '../context.ts';
import type { Result } from '../output.ts';
import { statusText } from '../status-text.ts';
import { statusView } from '../views.ts';

const FIRST_STEPS = `Welcome. You store my encrypted data, I store yours, over Tor, with no server.

  bb init                                 make your identity: 24 words, the way back
  bb identity show                        your address, to give to a friend
  bb connect bb:<onion id>                add a friend by theirs
  bb contracts propose FRIEND --give 20GiB --get 20GiB
  bb setfile ~/Documents                  set what is backed up
  bb status --watch                       see it become PROTECTED

You had a node before and its disk is gone? bb init --recover`;

export async function run(context: Context): Promise<Result> {
  try {
    const status = await (await context.client()).unary(Service.status, {});
    if (status.state === NodeState.NODE_STATE_NOT_INITIALISED) return firstSteps();
    return { data: statusView(status), text: statusText(status, context.out.colors, Date.now()) };
  } catch (error) {
    if (isBbError(error, 'NOT_INITIALISED')) return firstSteps();
    throw error;
  }
}

function firstSteps(): Result {
  return { data: { state: 'not_initialised', next: 'bb init' }, text: FIRST_STEPS };
}
