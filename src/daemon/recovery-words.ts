// What the user says to a recovery: whom to ask, which sequence to take, that what is missing is to be lived with.
// Invariant: a sequence that was named is kept until the recovery ends, over restarts, too: nothing newer is restored in its
// place. One that nobody holds is refused, so that the node does not wait for it for ever.

import { BbError } from '../core/errors.ts';
import type { RecoverArgs } from './local-api.ts';
import { connectPeer, knownPeer } from './peers.ts';
import { plan, planFor } from './plan.ts';
import { askHolder } from './presence.ts';
import { isRestored } from './complete-recovery.ts';
import { requireTor } from './require-tor.ts';
import type { RecoveryWord } from './recovery.ts';
import type { Session } from './session.ts';
import { heldSequences, sequencesText } from './waiting-words.ts';

/** `--from`. Its answer is waited for when a word depends on it: PEER_UNREACHABLE. */
export async function askNamed(session: Session, args: RecoverArgs, signal: AbortSignal): Promise<void> {
  requireTor(session);
  const isNormal = session.node.mode === 'normal';
  const { peer } = await connectPeer(session, knownPeer(session, args.from) ?? args.from, '', isNormal);
  if (args.acceptSequence !== 0 && !isNormal) await askHolder(session, peer.onionId, signal);
  else planFor(session, 'ask', peer.onionId, 0);
}

/**
 * On a node that is not `normal`. The caller takes what it gets out of `recovery.words` when its call ends.
 * NOT_FOUND for a sequence that nobody holds, PUBLISH_BLOCKED while nobody answered.
 */
export async function takeWords(session: Session, args: RecoverArgs): Promise<RecoveryWord> {
  const { recovery, node } = session;
  requireTor(session);
  if (args.acceptSequence !== 0) await acceptSequence(session, args.acceptSequence);
  if (args.complete && node.mode === 'blocked') {
    throw new BbError('PUBLISH_BLOCKED', 'no peer that holds your content was found yet', {
      hint: 'Name one with bb recover --from, or use bb init --new if there is none.',
    });
  }
  // Only what was shown can be accepted: while cells still come there is nothing to say yes to.
  const isShown = recovery.isStuck || isRestored(session);
  const word = {
    isAsked: args.complete && isShown,
    isLossAccepted: args.acceptLoss && (isShown || session.laterFormat),
    afterLook: recovery.looks,
  };
  recovery.words.add(word);
  recovery.idleSteps = 0;
  plan(session, 'recover', 0);
  return word;
}

async function acceptSequence(session: Session, sequence: number): Promise<void> {
  const held = heldSequences(session.recovery);
  if (held.length > 0 && !held.includes(sequence)) throw notHeld(sequence, held);
  session.recovery.refusal = undefined;
  session.recovery.stuckOn = undefined;
  await session.registry.updateNode(() => ({ ...session.node, acceptedSequence: sequence }));
}

/** The word was given before anybody had answered, and those that have answered now do not hold it. */
export async function refuseUnheldWord(session: Session): Promise<void> {
  const { acceptedSequence } = session.node;
  const held = heldSequences(session.recovery);
  if (acceptedSequence === 0 || held.length === 0 || held.includes(acceptedSequence)) return;
  await session.registry.updateNode(() => ({ ...session.node, acceptedSequence: 0 }));
  session.recovery.refusal = notHeld(acceptedSequence, held);
  plan(session, 'recover', 0);
}

function notHeld(sequence: number, held: readonly number[]): BbError {
  return new BbError('NOT_FOUND', `no peer that answered holds revision ${sequence} of your content`, {
    hint: `They hold ${sequencesText(held)}. Ask another one with bb recover --from bb:<its id>.`,
  });
}
