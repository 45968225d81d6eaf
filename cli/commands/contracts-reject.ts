// bb contracts reject: no to terms that a peer proposed.

import type { Context } from '../context.ts';
import { answerProposal } from '../contract-answer.ts';
import type { Result } from '../output.ts';

export function run(context: Context, [peer = '']: readonly string[]): Promise<Result> {
  return answerProposal(context, peer, false);
}
