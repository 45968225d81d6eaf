// What a contract state means for everything else: one row per state (docs/protocol.md, "Contract
// lifecycle"). Nothing outside asks for a state by name where a column says it.

import type { PeriodName } from '../policy/periods.ts';
import type { ContractState } from './state.ts';

export type StateEffects = {
  /** We offer our revisions to the peer. */
  readonly publish: boolean;
  /** Which revisions of the peer we take: any that fits, none larger than its largest acknowledged one, or none. */
  readonly accept: 'any' | 'no-larger' | 'none';
  /** A verified copy there counts for the verdict. */
  readonly countsAsCopy: boolean;
  /** The row of the periods between two checks of our copy; undefined = no checks. */
  readonly checkSpacing: PeriodName | undefined;
  /** Its allowance counts as promised. */
  readonly promised: boolean;
};

export const STATE_EFFECTS: { readonly [state in ContractState]: StateEffects } = {
  PROPOSED: { publish: false, accept: 'none', countsAsCopy: false, checkSpacing: undefined, promised: true },
  ACTIVE: { publish: true, accept: 'any', countsAsCopy: true, checkSpacing: 'checkSpacing', promised: true },
  DEGRADED: {
    publish: true,
    accept: 'no-larger',
    countsAsCopy: true,
    checkSpacing: 'checkDegradedSpacing',
    promised: true,
  },
  GRACE: {
    publish: true,
    accept: 'no-larger',
    countsAsCopy: false,
    checkSpacing: 'challengeRefill',
    promised: true,
  },
  EXPIRED: {
    publish: true,
    accept: 'none',
    countsAsCopy: false,
    checkSpacing: 'checkSpacing',
    promised: false,
  },
  ENDING: {
    publish: true,
    accept: 'no-larger',
    countsAsCopy: false,
    checkSpacing: 'checkSpacing',
    promised: true,
  },
  RELEASED: { publish: false, accept: 'none', countsAsCopy: false, checkSpacing: undefined, promised: false },
};
