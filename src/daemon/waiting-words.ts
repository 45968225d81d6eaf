// What a recovery waits for, in words for the user: who, how long, and what he can say to it. Each fits behind "waits for".

import type { Completion } from '../core/recovery/completion.ts';
import { PERIODS_MS } from '../core/policy/periods.ts';
import type { FoundId, Recovery } from './recovery.ts';
import { sinceFirstAnswerMs } from './recovery-waits.ts';
import type { Session } from './session.ts';

const HOUR_MS = 3_600_000;
const SEQUENCES_SHOWN = 12;

type Wait = Extract<Completion, { readonly kind: 'wait' }>['forWhat'] | 'NEWER' | 'INDEX';

/** `silent`: names of peers that did not answer; `sequence`: of the revision that is restored. */
export function waitingWords(session: Session, wait: Wait, silent: readonly string[], sequence: number): string {
  switch (wait) {
    case 'RESTORE':
      return 'the content to come back';
    case 'MISSING_FILES':
      return `a peer that has the missing cells, or your word (bb init complete) to go on with the complete files${olderWords(session, sequence)}`;
    case 'NEWER':
      return 'a peer that has a newer revision, of which one peer was told; bb init complete goes on without it';
    case 'INDEX':
      return `a peer that has the list of your files; bb init complete --accept-loss gives up all of them${olderWords(session, sequence)}`;
    case 'PEERS':
      return peersWords(session, silent, sequence);
  }
}

/** `init complete` does not shorten this: only who names the sequence says that he knows of no newer one. */
function peersWords({ node }: Session, silent: readonly string[], sequence: number): string {
  const leftMs = PERIODS_MS.publishBlockWait - (sinceFirstAnswerMs(node) ?? 0);
  const hours = Math.max(1, Math.ceil(leftMs / HOUR_MS));
  return (
    `the remaining peers under contract to answer (${silent.join(', ')}), so that none of them knows a newer revision. ` +
    `Publishing begins by itself then, or in ${hours} h; if you know of no newer one: bb recover --accept-seq ${sequence}`
  );
}

/** What is lost in one revision may be whole in another. */
function olderWords({ recovery }: Session, sequence: number): string {
  const others = heldSequences(recovery).filter((held) => held !== sequence);
  if (others.length === 0) return '';
  return `. Peers also hold ${sequencesText(others)}: bb recover --accept-seq N takes one of these instead`;
}

/** Of all holders that answered, newest first. */
export function heldSequences({ holders }: Recovery): number[] {
  return sequencesOf([...holders.values()].flatMap(({ found }) => found));
}

/** Each once, newest first. */
export function sequencesOf(found: readonly FoundId[]): number[] {
  return [...new Set(found.map(({ sequence }) => sequence))].sort((a, b) => b - a);
}

export function sequencesText(sequences: readonly number[]): string {
  const shown = sequences.slice(0, SEQUENCES_SHOWN).join(', ');
  return `revision ${shown}${sequences.length > SEQUENCES_SHOWN ? ' and older ones' : ''}`;
}
