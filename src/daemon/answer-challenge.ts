// Answers a spot check about content that we hold. Bounded by a bucket per peer; the reads run on a
// worker, behind downloads.

import { creditChallenge, fullBucket, takeChallenge } from '../core/challenge/bucket.ts';
import type { ChallengeBucket } from '../core/challenge/bucket.ts';
import type { ChallengeQuestion } from '../core/challenge/question.ts';
import { validateQuestion } from '../core/challenge/validate.ts';
import type { OnionId } from '../core/ids.ts';
import { PeerRefusal } from '../core/refusal.ts';
import { lostCells, noteHeldDamage } from './held-damage.ts';
import type { Session } from './session.ts';

/** One bucket per peer in contract, in memory: a restart fills them, which only costs us reads. */
export class ChallengeBuckets {
  readonly #buckets = new Map<OnionId, ChallengeBucket>();

  take(peer: OnionId, nowMs: number, refillMs: number): void {
    const taken = takeChallenge(this.#buckets.get(peer) ?? fullBucket(nowMs), nowMs, refillMs);
    this.#buckets.set(peer, taken.bucket);
    if (!taken.granted) throw new PeerRefusal('CHALLENGE_BUSY', Math.ceil(taken.retryMs / 1000));
  }

  credit(peer: OnionId, nowMs: number): void {
    this.#buckets.set(peer, creditChallenge(this.#buckets.get(peer) ?? fullBucket(nowMs)));
  }
}

export async function answerChallenge(
  session: Session,
  caller: OnionId,
  question: ChallengeQuestion,
): Promise<{ readonly mac: Buffer; readonly blocksRead: number }> {
  const held = session.registry
    .heldOf(caller)
    .find(({ value }) => value.role !== 'pulling' && value.contentId.equals(question.contentId));
  if (held === undefined) throw new PeerRefusal('UNKNOWN_CONTENT');
  validateQuestion(question, held.value.cells);
  session.challengeBuckets.take(caller, session.deps.clock.monotonicMs(), session.deps.periods.challengeRefill);
  // What is known to be lost is confessed, not answered wrongly: only a wrong mac is a failed check.
  if ((await lostCells(session, held.value)).length > 0) throw new PeerRefusal('REPLICA_LOST');
  const { list, cells } = held.value;
  const { damaged, ...proof } = await session.deps.workers.proveMac(question, caller, list, cells);
  if (damaged.length === 0) return proof;
  await noteHeldDamage(session, held.value, damaged);
  throw new PeerRefusal('REPLICA_LOST');
}
