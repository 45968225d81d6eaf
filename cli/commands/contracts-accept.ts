// bb contracts accept: the word of a person for terms that a peer proposed. The peer counts as approved from then on.

import type { Context } from '../context.ts';
import { answerProposal } from '../contract-answer.ts';
import type { Result } from '../output.ts';

export function run(context: Context, [peer = '']: readonly string[]): Promise<Result> {
  return answerProposal(context, peer, true);
}
