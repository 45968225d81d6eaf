// The life of a contract, as each side keeps it about the other: (life, event, now) -> (life, actions)
// (docs/protocol.md, "Contract lifecycle"). `now` is counted nominal seconds (see ledger.ts), so a
// time in which this node was down or offline moves nothing. Every pair of state and event has a row.

import { PERIODS_MS } from '../policy/periods.ts';
import type { PeriodName } from '../policy/periods.ts';
import type { LedgerRecord, LifeRecord } from '../records.ts';
import type { DegradedReason } from './reasons.ts';
import { DRAIN_PERMILLE, ledgerAt, remainingSeconds, withSlope } from './ledger.ts';
import type { ContractState } from './state.ts';
import type { Terms } from './terms.ts';

export type ContractLife = {
  readonly state: ContractState;
  readonly ledger: LedgerRecord;
  readonly life: LifeRecord;
};

export type ContractEvent =
  /** A proposal was sent or received. */
  | { readonly kind: 'proposed' }
  /** Both signatures are known and the dial-back succeeded. */
  | { readonly kind: 'agreed' }
  | { readonly kind: 'rejected' }
  | {
      readonly kind: 'tick';
      readonly reasons: readonly DegradedReason[];
      /** `duration_s` is over. */
      readonly durationOver: boolean;
      readonly ownerRecovering: boolean;
      /** The peer calls us but cannot be dialled. */
      readonly undiallable: boolean;
    }
  /** Two wrong proofs 6 h apart, a replica lost or dropped: straight to GRACE. */
  | { readonly kind: 'defaulted' }
  /** All cells of our copy were swept `held`. */
  | { readonly kind: 'cured' }
  | { readonly kind: 'evicted' }
  /** One side's EndContract was answered by the other. */
  | { readonly kind: 'ended'; readonly noticeSeconds: number }
  | { readonly kind: 'ended-by-both' };

export const CONTRACT_EVENTS = [
  'proposed',
  'agreed',
  'rejected',
  'tick',
  'defaulted',
  'cured',
  'evicted',
  'ended',
  'ended-by-both',
] as const satisfies readonly ContractEvent['kind'][];

export type ContractEventKind = ContractEvent['kind'];
export type ContractAction = 'repair' | 'release';

export type ContractContext = {
  readonly nowSeconds: number;
  readonly terms: Terms;
  /** The user typed, pinned or approved the peer. */
  readonly added: boolean;
};

export type Step = { readonly next: ContractLife; readonly actions: readonly ContractAction[] };

type Handler<K extends ContractEventKind> = (
  before: ContractLife,
  event: Extract<ContractEvent, { kind: K }>,
  context: ContractContext,
) => Step;
/** Fits every event. */
type AnyHandler = (before: ContractLife, event: ContractEvent, context: ContractContext) => Step;
type Row = { readonly [K in ContractEventKind]: Handler<K> };

/** A contract that begins to be negotiated now. */
export function newContract(nowSeconds: number): ContractLife {
  return {
    state: 'PROPOSED',
    ledger: ledgerAt(0, 0, nowSeconds),
    life: {
      enteredSeconds: nowSeconds,
      activeSeconds: 0,
      floorSeconds: -1,
      pauseSeconds: -1,
      noticeEndSeconds: -1,
    },
  };
}

export function stepContract(before: ContractLife, event: ContractEvent, context: ContractContext): Step {
  const handler = TABLE[before.state][event.kind] as AnyHandler;
  return handler(before, event, context);
}

const stay: AnyHandler = (before) => ({ next: before, actions: [] });
const toReleased: AnyHandler = (before, _event, context) => ({
  next: enter({ ...before, ledger: ledgerAt(0, 0, context.nowSeconds) }, 'RELEASED', context),
  actions: ['release'],
});
const toEnding: Handler<'ended'> = (before, event, context) => endAt(before, event.noticeSeconds, context);
const toGrace: AnyHandler = (before, _event, context) => {
  const floor = floorSeconds(before, context);
  const value = Math.max(remaining(before, context), floor);
  const next = enter(before, 'GRACE', context);
  return {
    next: {
      ...next,
      ledger: ledgerAt(value, DRAIN_PERMILLE, context.nowSeconds),
      life: floor > 0 ? { ...next.life, floorSeconds: context.nowSeconds } : next.life,
    },
    actions: ['repair'],
  };
};

const NEVER: Row = {
  proposed: stay,
  agreed: stay,
  rejected: stay,
  tick: stay,
  defaulted: stay,
  cured: stay,
  evicted: stay,
  ended: stay,
  'ended-by-both': stay,
};
const ENDABLE: Row = { ...NEVER, ended: toEnding, 'ended-by-both': toReleased };

const TABLE: { readonly [state in ContractState]: Row } = {
  PROPOSED: {
    ...NEVER,
    agreed: (before, _event, context) => ({
      next: {
        ...enter(before, 'ACTIVE', context),
        ledger: ledgerAt(context.terms.graceInitialSeconds, context.terms.graceRatePermille, context.nowSeconds),
      },
      actions: [],
    }),
    rejected: toReleased,
    tick: (before, event, context) =>
      inState(before, context) >= seconds('proposalLapse')
        ? toReleased(before, event, context)
        : stay(before, event, context),
  },
  ACTIVE: {
    ...ENDABLE,
    defaulted: toGrace,
    tick: (before, event, context) => {
      if (event.durationOver) return endAt(before, 0, context);
      if (event.reasons.length === 0) return stay(before, event, context);
      return { next: slope(enter(before, 'DEGRADED', context), 0, context), actions: [] };
    },
  },
  DEGRADED: {
    ...ENDABLE,
    defaulted: toGrace,
    tick: (before, event, context) => {
      if (event.durationOver) return endAt(before, 0, context);
      if (event.reasons.length === 0) return { next: toActive(before, context), actions: [] };
      const isOver = patienceLeftSeconds(before, context, event.undiallable) === 0;
      return isOver ? toGrace(before, event, context) : stay(before, event, context);
    },
  },
  GRACE: {
    ...ENDABLE,
    cured: (before, _event, context) => ({ next: toActive(before, context), actions: [] }),
    tick: (before, event, context) => {
      if (event.durationOver) return endAt(before, 0, context);
      if (remaining(before, context) === 0) {
        return { next: slope(enter(before, 'EXPIRED', context), 0, context), actions: [] };
      }
      const paused = pause(before, event.ownerRecovering, context);
      const permille = isPaused(paused, event.ownerRecovering, context.nowSeconds) ? 0 : DRAIN_PERMILLE;
      const next = permille === paused.ledger.slopePermille ? paused : slope(paused, permille, context);
      return { next, actions: [] };
    },
  },
  EXPIRED: {
    ...NEVER,
    'ended-by-both': toReleased,
    evicted: toReleased,
    cured: (before, _event, context) => ({
      next: {
        ...enter(before, 'ACTIVE', context),
        ledger: ledgerAt(seconds('curedRemaining'), context.terms.graceRatePermille, context.nowSeconds),
      },
      actions: [],
    }),
    tick: (before, event, context) => ({ next: pause(before, event.ownerRecovering, context), actions: [] }),
  },
  ENDING: {
    ...NEVER,
    'ended-by-both': toReleased,
    tick: (before, event, context) =>
      context.nowSeconds >= before.life.noticeEndSeconds && remaining(before, context) === 0
        ? toReleased(before, event, context)
        : stay(before, event, context),
  },
  RELEASED: {
    ...NEVER,
    proposed: (before, _event, context) => ({ next: enter(before, 'PROPOSED', context), actions: [] }),
  },
};

/** How long a DEGRADED contract may go on like this before it is in GRACE. `undiallable`: as in a tick. */
export function patienceLeftSeconds(
  life: ContractLife,
  context: Pick<ContractContext, 'nowSeconds' | 'added'>,
  undiallable: boolean,
): number {
  const row = context.added || undiallable ? 'graceAfterDegradedPatient' : 'graceAfterDegraded';
  return Math.max(0, seconds(row) - inState(life, context));
}

/** True while the countdown and any eviction wait for an owner that rebuilds itself: at most 14 d, once per 180 d. */
export function isPaused(life: ContractLife, ownerRecovering: boolean, nowSeconds: number): boolean {
  const began = life.life.pauseSeconds;
  return ownerRecovering && began >= 0 && nowSeconds - began < seconds('recoveringPause');
}

function pause(before: ContractLife, ownerRecovering: boolean, { nowSeconds }: ContractContext): ContractLife {
  const began = before.life.pauseSeconds;
  const isDue = ownerRecovering && (began < 0 || nowSeconds - began >= seconds('recoveringPauseAgain'));
  return isDue ? { ...before, life: { ...before.life, pauseSeconds: nowSeconds } } : before;
}

function toActive(before: ContractLife, context: ContractContext): ContractLife {
  return slope(enter(before, 'ACTIVE', context), context.terms.graceRatePermille, context);
}

function endAt(before: ContractLife, noticeSeconds: number, context: ContractContext): Step {
  const next = slope(enter(before, 'ENDING', context), DRAIN_PERMILLE, context);
  return {
    next: { ...next, life: { ...next.life, noticeEndSeconds: context.nowSeconds + noticeSeconds } },
    actions: [],
  };
}

function enter(before: ContractLife, state: ContractState, context: ContractContext): ContractLife {
  const earned = before.state === 'ACTIVE' ? inState(before, context) : 0;
  return {
    state,
    ledger: before.ledger,
    life: {
      ...before.life,
      enteredSeconds: context.nowSeconds,
      activeSeconds: before.life.activeSeconds + earned,
    },
  };
}

function slope(life: ContractLife, permille: number, { nowSeconds, terms }: ContractContext): ContractLife {
  return { ...life, ledger: withSlope(life.ledger, permille, nowSeconds, terms.graceCapSeconds) };
}

function remaining(life: ContractLife, { nowSeconds, terms }: ContractContext): number {
  return remainingSeconds(life.ledger, nowSeconds, terms.graceCapSeconds);
}

function inState(life: ContractLife, { nowSeconds }: Pick<ContractContext, 'nowSeconds'>): number {
  return Math.max(0, nowSeconds - life.life.enteredSeconds);
}

/** The disaster floor: a dead disk looks exactly like a default, and this time is the product. */
function floorSeconds(before: ContractLife, context: ContractContext): number {
  const { life } = before;
  const active = life.activeSeconds + (before.state === 'ACTIVE' ? inState(before, context) : 0);
  const earned = context.added || active >= seconds('disasterFloorStranger');
  const again = life.floorSeconds < 0 || context.nowSeconds - life.floorSeconds >= seconds('disasterFloorAgain');
  return earned && again ? seconds('disasterFloor') : 0;
}

function seconds(row: PeriodName): number {
  return PERIODS_MS[row] / 1000;
}
