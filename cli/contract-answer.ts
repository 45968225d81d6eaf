// What a person answered about a contract, sent to the daemon and told as a result.

import { BbError } from '../src/core/errors.ts';
import { BarterBackupClientService as Service } from '../src/gen/clirpc/v1/clirpc.ts';
import type { ContractAnswer } from '../src/gen/clirpc/v1/clirpc.ts';
import type { Context } from './context.ts';
import { contractText, openTermsText } from './contract-text.ts';
import type { Result } from './output.ts';
import { requireConfirmation } from './prompt.ts';
import { contractView } from './views.ts';

const LATER = 'The peer could not be told yet; it hears of it at the next contact.';

const WORDS = {
  accept: { ask: 'Accept', done: 'Accepted.' },
  reject: { ask: 'Reject', done: 'Rejected.' },
  withdraw: { ask: 'Take back', done: 'Taken back.' },
} as const;

export async function answerProposal(context: Context, onionServiceId: string, accept: boolean): Promise<Result> {
  const peer = { onionServiceId, name: '' };
  const client = await context.client();
  const [contract] = (await client.unary(Service.getContracts, { peer })).contracts;
  const withdraws = !accept && contract?.open?.proposedByUs === true;
  if (contract?.open === undefined || !(contract.open.waitsForUs || withdraws)) {
    throw new BbError('NOT_FOUND', 'no proposal of this peer waits for you', { hint: 'See bb contracts list.' });
  }
  const { ask, done } = withdraws ? WORDS.withdraw : accept ? WORDS.accept : WORDS.reject;
  await requireConfirmation(context.settings, `${ask}: ${openTermsText(contract.open)}?`);
  return resultOf(await client.unary(Service.answerProposal, { peer, accept }), done);
}

/** Result of a word about a contract; `done` when the peer knows. */
export function resultOf({ contract, told }: ContractAnswer, done: string): Result {
  const text = contract === undefined ? '' : `\n${contractText(contract, Date.now())}`;
  const data = { told, contract: contract === undefined ? null : contractView(contract) };
  return { data, text: `${told ? done : `${done} ${LATER}`}${text}` };
}
