// bb contracts amend: other sizes or times for a contract that stands; what is not named stays as it is. Until the other
// side has signed, the old terms stand.

import { BbError } from '../../src/core/errors.ts';
import type { Context, Options } from '../context.ts';
import { textOption } from '../context.ts';
import { requireOffer } from '../offer-check.ts';
import type { Result } from '../output.ts';
import { requireConfirmation } from '../prompt.ts';
import { parseSize } from '../quantity.ts';
import { offer, secondsOption } from './contracts-propose.ts';

const NAMES = ['give', 'get', 'term', 'hold'] as const;

export async function run(
  context: Context,
  [onionServiceId = '']: readonly string[],
  options: Options,
): Promise<Result> {
  const named = NAMES.filter((name) => textOption(options, name) !== undefined);
  if (named.length === 0) {
    throw new BbError('USAGE', 'say what changes', { hint: 'Use --give, --get, --term or --hold.' });
  }
  const changes = named.map((name) => `${name} ${textOption(options, name)}`).join(', ');
  const request = {
    peer: { onionServiceId, name: '' },
    giveBytes: sizeOption(options, 'give'),
    getBytes: sizeOption(options, 'get'),
    durationSeconds: secondsOption(options, 'term'),
    holdSeconds: secondsOption(options, 'hold'),
    amend: true,
  };
  await requireOffer(context, request);
  await requireConfirmation(context.settings, `Change the terms with this peer (${changes})?`);
  return offer(context, options, request);
}

function sizeOption(options: Options, name: 'give' | 'get'): bigint {
  const text = textOption(options, name);
  if (text === undefined) return 0n;
  const bytes = parseSize(text);
  if (bytes === 0) {
    const hint = 'End it with bb contracts end; a new one may have one direction: bb contracts propose PEER --get 0.';
    throw new BbError('USAGE', `an amendment cannot take a direction away (--${name} 0)`, { hint });
  }
  return BigInt(bytes);
}
