// Contract states on the wire. "No contract" is the number 0 and has no word.

import type { ContractState } from '../../core/contract/state.ts';
import { ContractState as WireState } from '../../gen/bbrpc/v1/bbrpc.ts';
import type { EnumWords } from '../enum-words.ts';

const NUMBERS: Readonly<Record<ContractState, WireState>> = {
  PROPOSED: WireState.CONTRACT_STATE_PROPOSED,
  ACTIVE: WireState.CONTRACT_STATE_ACTIVE,
  DEGRADED: WireState.CONTRACT_STATE_DEGRADED,
  GRACE: WireState.CONTRACT_STATE_GRACE,
  EXPIRED: WireState.CONTRACT_STATE_EXPIRED,
  ENDING: WireState.CONTRACT_STATE_ENDING,
  RELEASED: WireState.CONTRACT_STATE_RELEASED,
};

export const contractStateWords: EnumWords<ContractState | undefined, WireState> = {
  words: new Map<number, ContractState | undefined>([
    [WireState.CONTRACT_STATE_UNSPECIFIED, undefined],
    ...Object.entries(NUMBERS).map(([word, wire]): [number, ContractState] => [wire, word as ContractState]),
  ]),
  toWire: (state) => (state === undefined ? WireState.CONTRACT_STATE_UNSPECIFIED : NUMBERS[state]),
};
