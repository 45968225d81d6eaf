// The state machine of contracts against a second, small implementation: the same random events, the same state, the same
// remaining seconds, the same actions after each. CONTRACT_SEED replays a run.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { remainingSeconds } from '../../src/core/contract/ledger.ts';
import { newContract, stepContract } from '../../src/core/contract/machine.ts';
import type { ContractEvent } from '../../src/core/contract/machine.ts';
import { ContractModel } from './contract-model.ts';
import type { ModelEvent } from './contract-model.ts';
import { PLAIN_TERMS } from '../unit/plain-terms.ts';

const SEQUENCES = 1_000_000;
const EVENTS = 12;
const DAY = 86_400;
const KINDS = ['proposed', 'agreed', 'rejected', 'defaulted', 'cured', 'evicted', 'ended-by-both'] as const;
/** Below a rounding error of a day's worth of seconds. */
const EPSILON = 1e-3;

/** Mulberry32: small, fast, and the same everywhere. */
function randomOf(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** Ticks most of the time; an agreement early, so that most sequences live. */
function drawEvent(random: () => number, index: number): ModelEvent {
  if (index === 0 && random() < 0.9) return { kind: 'agreed' };
  const roll = random();
  if (roll < 0.06) return { kind: 'ended', notice: Math.floor(random() * 60) * DAY };
  if (roll < 0.3) return { kind: KINDS[Math.floor(random() * KINDS.length)] ?? 'agreed' };
  return {
    kind: 'tick',
    worried: random() < 0.6,
    over: random() < 0.02,
    recovering: random() < 0.3,
    undiallable: random() < 0.2,
  };
}

/** Mostly days; sometimes nothing, an exact bound, or half a year. */
function drawPause(random: () => number): number {
  const roll = random();
  if (roll < 0.1) return 0;
  if (roll < 0.3) return [3, 7, 14, 30, 60, 180][Math.floor(random() * 6)]! * DAY;
  if (roll < 0.9) return Math.floor(random() * 20 * DAY);
  return Math.floor(random() * 200 * DAY);
}

function machineEvent(event: ModelEvent): ContractEvent {
  if (event.kind === 'ended') return { kind: 'ended', noticeSeconds: event.notice };
  if (event.kind !== 'tick') return { kind: event.kind };
  return {
    kind: 'tick',
    reasons: event.worried ? ['UNREACHABLE'] : [],
    durationOver: event.over,
    ownerRecovering: event.recovering,
    undiallable: event.undiallable,
  };
}

/** The first difference, or undefined; and whether bytes were let go although somebody was still promised them. */
function runSequence(seed: number): string | undefined {
  const random = randomOf(seed);
  const added = random() < 0.5;
  const terms = { ...PLAIN_TERMS, graceInitialSeconds: random() < 0.5 ? 7 * DAY : 30 * DAY };
  let now = Math.floor(random() * 1000) * DAY;
  const { graceInitialSeconds, graceRatePermille, graceCapSeconds } = terms;
  const model = new ContractModel(
    now,
    { initial: graceInitialSeconds, permille: graceRatePermille, cap: graceCapSeconds },
    added,
  );
  let life = newContract(now);
  for (let index = 0; index < EVENTS; index += 1) {
    const event = drawEvent(random, index);
    now += drawPause(random);
    const promised = remainingSeconds(life.ledger, now, graceCapSeconds);
    const from = life.state;
    const { next, actions } = stepContract(life, machineEvent(event), { nowSeconds: now, terms, added });
    model.step(event, now);
    life = next;
    const remaining = remainingSeconds(life.ledger, now, graceCapSeconds);
    const where = `event ${index} ${JSON.stringify(event)} in ${from} at ${now}`;
    if (life.state !== model.state) return `${where}: ${life.state}, the model says ${model.state}`;
    if (Math.abs(remaining - model.remaining) > EPSILON)
      return `${where}: ${remaining} s, the model ${model.remaining} s`;
    if (actions.includes('release') !== model.released || actions.includes('repair') !== model.repair) {
      return `${where}: actions ${actions.join(' ')}`;
    }
    const isAgreedEnd = event.kind === 'ended-by-both';
    if (actions.includes('release') && promised > 0 && !isAgreedEnd)
      return `${where}: released with ${promised} s to go`;
  }
  return undefined;
}

test(`${SEQUENCES} random lives of a contract go as the model says, and none is released before its time`, () => {
  const first = Number(process.env['CONTRACT_SEED'] ?? 1);
  const count = process.env['CONTRACT_SEED'] === undefined ? SEQUENCES : 1;
  for (let seed = first; seed < first + count; seed += 1) {
    const difference = runSequence(seed);
    assert.equal(difference, undefined, `CONTRACT_SEED=${seed}: ${difference}`);
  }
});
