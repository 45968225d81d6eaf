// bb contracts reject: no to terms that a peer proposed, or our own proposal taken back while nobody has accepted it.

import type { Context } from '../context.ts';
import { answerProposal } from '../contract-answer.ts';
import type { Result } from '../output.ts';

export function run(context: Context, [peer = '']: readonly string[]): Promise<Result> {
  return answerProposal(context, peer, false);
}
