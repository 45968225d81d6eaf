// A contract in one sentence for its user.

import type { ContractState } from '../core/contract/state.ts';
import type { ContractRecord } from '../core/records.ts';
import { currentHeld } from './held.ts';
import type { Session } from './session.ts';

const SENTENCES: { readonly [state in ContractState]: string } = {
  PROPOSED: 'not agreed yet: one signature is missing',
  ACTIVE: 'both sides keep their promises',
  DEGRADED: 'paused, because something is wrong; nothing is deleted',
  GRACE: 'your remaining seconds run down; the bytes stay until then',
  EXPIRED: 'the remaining seconds are used up; the bytes go when space is needed',
  ENDING: 'notice was given; the bytes stay until it ends',
  RELEASED: 'over',
};

const THEIR_PULLS: { readonly [pull in ContractRecord['theirPull']]: string } = {
  NONE: '',
  PULLING: ', a newer revision is on its way',
  QUOTA: ', its newest revision was refused: more than we promised',
  NO_SPACE: ', its newest revision was refused: our disk is full',
};

export function explainContract(session: Session, contract: ContractRecord): string {
  const { peer, state, replica, reason } = contract;
  if (state !== 'ACTIVE') return reason === '' ? SENTENCES[state] : `${SENTENCES[state]} (${reason})`;
  const online = session.reach.isReachable(peer) ? 'online' : 'offline now';
  const held = currentHeld(session, peer) === undefined ? 'we hold nothing for it yet' : 'we hold its content';
  const theirs = `${held}${THEIR_PULLS[contract.theirPull]}`;
  const newestId = session.newest?.row.contentId;
  const ours =
    newestId === undefined
      ? 'there is nothing of ours to hold'
      : replica.proved.equals(newestId)
        ? 'it proved our newest revision'
        : replica.acknowledged.equals(newestId)
          ? 'it holds our newest revision, not proved yet'
          : 'it does not hold our newest revision yet';
  return `${SENTENCES[state]}; the peer is ${online}; ${ours}; ${theirs}`;
}
