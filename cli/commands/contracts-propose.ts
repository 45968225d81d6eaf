// bb contracts propose: offers terms and reports until both signatures are known or the peer refused. A peer whose person
// decides answers later; --wait stays until then.

import { BbError } from '../../src/core/errors.ts';
import { formatBytes } from '../../src/core/format-bytes.ts';
import { TERMS_ROOM_BYTES } from '../../src/core/limits.ts';
import { BarterBackupClientService as Service, OperationState } from '../../src/gen/clirpc/v1/clirpc.ts';
import type { ProposeContractRequest, ProposeContractUpdate } from '../../src/gen/clirpc/v1/clirpc.ts';
import type { Context, Options } from '../context.ts';
import { flagOption, textOption } from '../context.ts';
import { contractText } from '../contract-text.ts';
import { requireOffer } from '../offer-check.ts';
import { operationNote, operationWord } from '../operation-text.ts';
import type { Result } from '../output.ts';
import { requireConfirmation } from '../prompt.ts';
import { parseDuration, parseSize } from '../quantity.ts';
import { safeText } from '../safe-text.ts';
import { contractView } from '../views.ts';

export async function run(
  context: Context,
  [onionServiceId = '']: readonly string[],
  options: Options,
): Promise<Result> {
  const { giveBytes, getBytes } = sizesOf(options);
  const question = `Store ${formatBytes(giveBytes)} for this peer, which stores ${formatBytes(getBytes)} for you?`;
  const request = {
    peer: { onionServiceId, name: '' },
    giveBytes: BigInt(giveBytes),
    getBytes: BigInt(getBytes),
    durationSeconds: secondsOption(options, 'term'),
    holdSeconds: secondsOption(options, 'hold'),
    amend: false,
  };
  await requireOffer(context, request);
  if ([giveBytes, getBytes].some((bytes) => bytes > 0 && bytes < TERMS_ROOM_BYTES)) {
    const least = formatBytes(TERMS_ROOM_BYTES);
    context.out.note(`* With less than ${least}, older revisions soon leave no room for new ones`);
  }
  await requireConfirmation(context.settings, question);
  return offer(context, options, request);
}

/** Offers first terms or an amendment and reports until the peer, or its person, has answered. */
export async function offer(context: Context, options: Options, request: ProposeContractRequest): Promise<Result> {
  const updates = (await context.client()).stream(Service.proposeContract, request);
  let last: ProposeContractUpdate | undefined;
  for await (const update of updates) {
    if (update.state !== last?.state) context.out.note(`* ${operationNote(update.state)}`);
    last = update;
    if (update.success || (isPending(update) && !flagOption(options, 'wait'))) break;
  }
  return resultOf(last);
}

function isPending(update: ProposeContractUpdate): boolean {
  return update.state === OperationState.OPERATION_STATE_PENDING_PERSON;
}

/** One size alone means the same in both directions. */
function sizesOf(options: Options): { readonly giveBytes: number; readonly getBytes: number } {
  const give = textOption(options, 'give');
  const get = textOption(options, 'get');
  if (give === undefined && get === undefined) {
    throw new BbError('USAGE', 'say how much', { hint: 'Use --give SIZE, --get SIZE or both, such as --give 20GiB.' });
  }
  const giveBytes = parseSize(give ?? (get as string));
  const getBytes = parseSize(get ?? (give as string));
  return { giveBytes, getBytes };
}

export function secondsOption(options: Options, name: string): bigint {
  const text = textOption(options, name);
  if (text === undefined) return 0n;
  const seconds = parseDuration(text) / 1000;
  if (!Number.isInteger(seconds) || seconds < 1) throw new BbError('USAGE', `--${name} is whole seconds, at least one`);
  return BigInt(seconds);
}

function resultOf(last: ProposeContractUpdate | undefined): Result {
  if (last === undefined) throw new BbError('INTERNAL', 'the daemon gave no answer');
  const contract = last.contract === undefined ? null : contractView(last.contract);
  const data = { state: operationWord(last.state), accepted: last.success, reason: last.reason || null, contract };
  if (last.success) {
    return { data, text: last.contract === undefined ? 'Accepted.' : contractText(last.contract, Date.now()) };
  }
  const why = last.reason === '' ? '' : `: ${safeText(last.reason)}`;
  if (last.state === OperationState.OPERATION_STATE_PEER_REFUSED) {
    const hint = 'When bb contracts list shows it, answer it: bb contracts accept, or reject. Else propose again.';
    const isCrossed = last.reason.endsWith('(CROSSED)');
    return { data, failure: new BbError('REFUSED_BY_PEER', `the peer refused${why}`, isCrossed ? { hint } : {}) };
  }
  if (isPending(last)) return { data, text: `Proposed; a person at the other side decides${why}.` };
  return { data, failure: new BbError('PEER_UNREACHABLE', `the peer did not answer${why}`) };
}
