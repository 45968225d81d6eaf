// Publish, check, offer and presence: each decision at its borders.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CONTRACT_STATES } from '../../src/core/contract/state.ts';
import { isBbError } from '../../src/core/errors.ts';
import { BALLAST_BYTES, BLOB_CELLS, CELL_BYTES } from '../../src/core/limits.ts';
import { backOffMs, jitteredMs } from '../../src/core/policy/back-off.ts';
import { nextCheck } from '../../src/core/policy/check.ts';
import type { CheckFacts } from '../../src/core/policy/check.ts';
import { bytesForPeers, decideOffer } from '../../src/core/policy/offer.ts';
import type { OfferFacts } from '../../src/core/policy/offer.ts';
import { PERIODS_MS, dividedPeriods } from '../../src/core/policy/periods.ts';
import { probeDelayMs, recoveringRetryMs } from '../../src/core/policy/probe.ts';
import { decidePublish } from '../../src/core/policy/publish.ts';
import type { PublishFacts } from '../../src/core/policy/publish.ts';

const SECOND = 1000;
const HOUR = 3600 * SECOND;
const DAY = 24 * HOUR;
const NONE = Buffer.alloc(0);
const OLD = Buffer.alloc(64, 1);
const NEW = Buffer.alloc(64, 2);
const OTHER = Buffer.alloc(64, 3);

test('delays double up to their bound', () => {
  assert.deepEqual(
    [-1, 0, 1, 2, 3, 1000].map((n) => backOffMs(n, 10, 70)),
    [10, 10, 20, 40, 70, 70],
  );
  assert.deepEqual(
    [0, 0.5, 0.999].map((f) => jitteredMs(1000, f)),
    [500, 1000, 1499],
  );
});

test('probes back off to an hour in the first week, then to 6 h, after 30 days to a day', () => {
  const at = (lostMs: number, attempt: number) => probeDelayMs(lostMs, attempt, PERIODS_MS, 0.5);
  assert.deepEqual(
    [0, 1, 7, 8, 99].map((n) => at(0, n)),
    [15_000, 30_000, 1_920_000, HOUR, HOUR],
  );
  assert.equal(at(7 * DAY - 1, 99), HOUR);
  assert.equal(at(7 * DAY, 99), 6 * HOUR);
  assert.equal(at(30 * DAY, 99), DAY);
  assert.deepEqual(
    [0, 0.5].map((f) => recoveringRetryMs(PERIODS_MS, f)),
    [60_000, 330_000],
  );
});

test('a divided period is never below 250 ms', () => {
  const periods = dividedPeriods(1000);
  assert.equal(periods.checkSpacing, 86_400);
  assert.equal(periods.publishDebounce, 250);
  assert.deepEqual(dividedPeriods(1), PERIODS_MS);
});

const PUBLISH: PublishFacts = {
  mode: 'normal',
  state: 'ACTIVE',
  replica: { offered: OLD, acknowledged: OLD },
  newest: { contentId: NEW, ageMs: DAY },
  idleMs: undefined,
  lastOfferMs: undefined,
  offers: 0,
  recentRevisions: 0,
  lastRevisionMs: undefined,
  isReachable: true,
  otherUploads: 0,
  maxUploads: 2,
};

function publish(change: Partial<PublishFacts>): string | number {
  const decision = decidePublish({ ...PUBLISH, ...change }, PERIODS_MS);
  return decision.kind === 'wait' ? decision.delayMs : decision.kind;
}

test('a new revision is offered after the debounce, to whom it concerns', () => {
  assert.equal(publish({}), 'offer');
  assert.equal(publish({ newest: { contentId: NEW, ageMs: 0 } }), 5000);
  assert.equal(publish({ newest: { contentId: NEW, ageMs: 4999 } }), 1);
  assert.equal(publish({ newest: { contentId: NEW, ageMs: 5000 } }), 'offer');
  assert.equal(publish({ newest: undefined }), 'rest');
  assert.equal(publish({ isReachable: false }), 'rest');
  assert.equal(publish({ replica: { offered: NEW, acknowledged: NEW } }), 'rest');
  assert.deepEqual(
    CONTRACT_STATES.filter((state) => publish({ state }) === 'offer'),
    ['ACTIVE', 'DEGRADED', 'GRACE', 'EXPIRED', 'ENDING'],
  );
});

test('a node that recovers publishes nothing', () => {
  assert.equal(publish({ mode: 'blocked' }), 'rest');
  assert.equal(publish({ mode: 'recovering' }), 'rest');
});

test('an unfinished pull that progresses is left alone for an hour', () => {
  const replica = { offered: OTHER, acknowledged: OLD };
  assert.equal(publish({ replica, idleMs: 0 }), HOUR);
  assert.equal(publish({ replica, idleMs: HOUR - 1 }), 1);
  assert.equal(publish({ replica, idleMs: HOUR }), 'offer');
  assert.equal(publish({ replica, idleMs: undefined }), 'offer');
  assert.equal(publish({ replica: { offered: NONE, acknowledged: NONE }, idleMs: 0 }), 'offer');
});

test('an offer that is not acknowledged is repeated with growing delays', () => {
  const replica = { offered: NEW, acknowledged: OLD };
  assert.equal(publish({ replica, lastOfferMs: 0, offers: 1 }), 60 * SECOND);
  assert.equal(publish({ replica, lastOfferMs: 60 * SECOND, offers: 1 }), 'offer');
  assert.equal(publish({ replica, lastOfferMs: 0, offers: 3 }), 240 * SECOND);
  assert.equal(publish({ replica, lastOfferMs: 0, offers: 99 }), HOUR);
});

test('after the first of a day revisions are offered one an hour, so that none is refused', () => {
  const busy = { recentRevisions: 24, lastRevisionMs: 20 * 60 * SECOND };
  assert.equal(publish({ recentRevisions: 23, lastRevisionMs: 0 }), 'offer');
  assert.equal(publish(busy), 40 * 60 * SECOND);
  assert.equal(publish({ ...busy, lastRevisionMs: HOUR }), 'offer');
  assert.equal(publish({ ...busy, replica: { offered: NEW, acknowledged: OLD } }), 'offer');
});

test('no more than two uploads at once, but a started one goes on', () => {
  assert.equal(publish({ otherUploads: 1 }), 'offer');
  assert.equal(publish({ otherUploads: 2 }), 60 * SECOND);
  assert.equal(publish({ otherUploads: 2, replica: { offered: NEW, acknowledged: OLD } }), 'offer');
});

const CHECK: CheckFacts = {
  state: 'ACTIVE',
  acknowledged: NEW,
  lastChecked: NEW,
  proved: NEW,
  sinceStart: true,
  lastOutcome: 'held',
  nowMs: 20 * DAY,
  lastCheckMs: 10 * DAY + 5 * HOUR,
  lastSweepMs: 0,
  failures: 0,
};

function check(change: Partial<CheckFacts>, fraction = 0): string {
  const due = nextCheck({ ...CHECK, ...change }, PERIODS_MS, fraction);
  return due === undefined ? 'never' : `${due.kind} ${due.atMs / HOUR}`;
}

test('a reported revision is checked at once, then at a random moment of the next window', () => {
  assert.equal(check({ lastChecked: OLD }), 'first 0');
  assert.equal(check({ lastChecked: NONE, lastOutcome: undefined, lastCheckMs: 0 }), 'first 0');
  assert.equal(check({}), 'daily 264');
  assert.equal(check({}, 0.5), 'daily 276');
  assert.equal(check({ acknowledged: NONE }), 'never');
  assert.equal(check({ state: 'PROPOSED' }), 'never');
  assert.equal(check({ state: 'RELEASED' }), 'never');
});

test('what an earlier run was given as proof is asked for again at once, and the daily check stays as it was', () => {
  assert.equal(check({ sinceStart: false }), 'first 0');
  assert.equal(check({ sinceStart: false, state: 'DEGRADED' }), 'first 0');
  assert.equal(check({ sinceStart: false, state: 'GRACE' }), 'cure 246', 'its copy does not count anyway');
  assert.equal(check({ sinceStart: false, proved: NONE, lastOutcome: 'wrong' }), 'daily 264', 'nothing to confirm');
});

test('checks of new revisions do not push the next sweep away', () => {
  assert.equal(check({ lastCheckMs: 15 * DAY, lastSweepMs: 10 * DAY }), 'daily 264');
});

test('a check at a time that is still to come was made by a wrong clock, and delays nothing', () => {
  assert.equal(check({ nowMs: 10 * DAY }), 'daily 24');
  assert.equal(check({ nowMs: 10 * DAY, lastSweepMs: 12 * DAY }), 'daily 24');
  assert.equal(check({ nowMs: 10 * DAY, lastOutcome: 'late', failures: 1 }), `daily ${1 / 60}`);
});

test('DEGRADED is checked every 6 h, GRACE every hour for the cure', () => {
  assert.equal(check({ state: 'DEGRADED' }), 'daily 246');
  assert.equal(check({ state: 'GRACE' }), 'cure 246');
  assert.equal(check({ state: 'EXPIRED' }), 'cure 264');
  assert.equal(check({ state: 'ENDING' }), 'daily 264');
});

test('a storer in GRACE that answers wrong is asked again on the next day, not every hour for weeks', () => {
  assert.equal(check({ state: 'GRACE', lastOutcome: 'wrong' }), 'cure 264');
  assert.equal(check({ state: 'GRACE', lastOutcome: 'wrong', lastChecked: OLD }), 'cure 0');
  assert.equal(check({ state: 'DEGRADED', lastOutcome: 'wrong' }), 'daily 246');
});

test('an answer that proves nothing is asked for again, ever later', () => {
  const last = { lastCheckMs: 0, lastOutcome: 'late' as const, lastChecked: OLD };
  const minutes = (failures: number) =>
    (nextCheck({ ...CHECK, ...last, failures }, PERIODS_MS, 0)?.atMs ?? -1) / 60_000;
  assert.deepEqual([1, 2, 3, 99].map(minutes), [1, 2, 4, 60]);
  assert.equal(check({ lastOutcome: 'unreachable', failures: 99, lastCheckMs: 0 }), 'daily 1');
  assert.equal(check({ lastOutcome: 'late', failures: 99, lastCheckMs: 0, state: 'GRACE' }), 'cure 24');
});

const GIB_CELLS = 8192;
const OFFER: OfferFacts = {
  contentId: NEW,
  contentBytes: 100 * CELL_BYTES,
  previousId: OLD,
  delete: false,
  newCells: 10,
  state: 'ACTIVE',
  latestKnown: OLD,
  currentId: OLD,
  pullingId: NONE,
  currentBytes: 95 * CELL_BYTES,
  largestAcknowledgedBytes: 95 * CELL_BYTES,
  chargeBytes: 95 * CELL_BYTES,
  allowanceBytes: GIB_CELLS * CELL_BYTES,
  freeBytes: 2 ** 40,
  revisionsToday: 0,
};

function offer(change: Partial<OfferFacts>): string {
  const { outcome, recordsLatest, effect } = decideOffer({ ...OFFER, ...change });
  return `${outcome} ${recordsLatest ? 'known' : 'forgotten'} ${effect}`;
}

test('an offer that fits is pulled', () => {
  assert.equal(offer({}), 'ACCEPTED_PULLING known pull');
  const first = {
    latestKnown: NONE,
    previousId: NONE,
    currentId: NONE,
    currentBytes: 0,
    chargeBytes: 0,
    newCells: 100,
  };
  assert.equal(offer(first), 'ACCEPTED_PULLING known pull');
});

test('an offer over another id changes nothing', () => {
  assert.equal(offer({ previousId: OTHER }), 'CAS_MISMATCH forgotten none');
  assert.equal(offer({ previousId: NONE }), 'CAS_MISMATCH forgotten none');
  assert.equal(offer({ latestKnown: NONE }), 'CAS_MISMATCH forgotten none');
});

test('the same offer again is accepted and changes nothing', () => {
  assert.equal(offer({ latestKnown: NEW, pullingId: NEW }), 'ACCEPTED_PULLING forgotten none');
  assert.equal(offer({ latestKnown: NEW, currentId: NEW, previousId: NONE }), 'ACCEPTED_PULLING forgotten none');
  assert.equal(offer({ latestKnown: OTHER, currentId: NEW }), 'CAS_MISMATCH forgotten none');
});

test('a refused revision is not pulled by saying its id again', () => {
  assert.equal(offer({ latestKnown: NEW, previousId: OLD }), 'CAS_MISMATCH forgotten none');
  assert.equal(offer({ latestKnown: NEW, previousId: NEW }), 'ACCEPTED_PULLING known pull');
});

test('the allowance holds to the byte, and no less than the growth is believed', () => {
  assert.equal(offer({ allowanceBytes: 105 * CELL_BYTES }), 'ACCEPTED_PULLING known pull');
  assert.equal(offer({ allowanceBytes: 105 * CELL_BYTES - 1 }), 'QUOTA known none');
  assert.equal(offer({ allowanceBytes: 100 * CELL_BYTES - 1, newCells: 0 }), 'QUOTA known none');
  assert.equal(offer({ allowanceBytes: 100 * CELL_BYTES, newCells: 0 }), 'ACCEPTED_PULLING known pull');
  assert.equal(offer({ chargeBytes: GIB_CELLS * CELL_BYTES }), 'QUOTA known none');
});

test('a full disk and too many revisions are refused, and remembered', () => {
  assert.equal(offer({ freeBytes: 10 * CELL_BYTES }), 'ACCEPTED_PULLING known pull');
  assert.equal(offer({ freeBytes: 10 * CELL_BYTES - 1 }), 'NO_SPACE known none');
  assert.equal(offer({ revisionsToday: 47 }), 'ACCEPTED_PULLING known pull');
  assert.equal(offer({ revisionsToday: 48 }), 'QUOTA known none');
});

test('the last twentieth of a file system is not for peers, and the ballast never', () => {
  const GIB = 1024 ** 3;
  assert.equal(bytesForPeers(100 * GIB, 100 * GIB), 95 * GIB);
  assert.equal(bytesForPeers(5 * GIB + 1, 100 * GIB), 1);
  assert.equal(bytesForPeers(5 * GIB, 100 * GIB), 0);
  assert.equal(bytesForPeers(0, 100 * GIB), 0);
  assert.equal(bytesForPeers(BALLAST_BYTES + 1, BALLAST_BYTES * 2), 1);
});

test('states that take less', () => {
  for (const state of ['DEGRADED', 'GRACE', 'ENDING'] as const) {
    assert.equal(offer({ state }), 'REFUSED known none');
    assert.equal(offer({ state, contentBytes: 95 * CELL_BYTES }), 'ACCEPTED_PULLING known pull');
  }
  for (const state of ['PROPOSED', 'EXPIRED', 'RELEASED'] as const)
    assert.equal(offer({ state }), 'REFUSED known none');
});

test('deleting needs the flag, the right previous id, and no content', () => {
  const gone = { delete: true, contentId: NONE, contentBytes: 0, newCells: 0 };
  // The id stays: an empty latest_known would look like a lost replica.
  assert.equal(offer(gone), 'ACCEPTED_PULLING forgotten delete');
  assert.equal(offer({ ...gone, previousId: OTHER }), 'CAS_MISMATCH forgotten none');
  for (const change of [{ ...gone, delete: false }, { ...gone, contentId: NEW }, { delete: true }]) {
    assert.throws(
      () => offer(change),
      (error) => isBbError(error, 'BAD_PEER_DATA'),
    );
  }
});

test('an offer out of shape is refused before anything else', () => {
  const bad: Partial<OfferFacts>[] = [
    { contentId: Buffer.alloc(63) },
    { contentBytes: 2 * CELL_BYTES, newCells: 0 },
    { contentBytes: 100 * CELL_BYTES + 1 },
    { contentBytes: (BLOB_CELLS + 1) * CELL_BYTES },
    { contentBytes: -CELL_BYTES },
    { newCells: 101 },
    { newCells: -1 },
    { newCells: 0.5 },
    { previousId: Buffer.alloc(65) },
  ];
  for (const change of bad)
    assert.throws(
      () => offer(change),
      (error) => isBbError(error, 'BAD_PEER_DATA'),
    );
});
