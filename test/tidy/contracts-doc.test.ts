// The figures of docs/contracts.md are those of the program: users plan their holidays by this page.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { DEFAULT_TERMS, STRANGER_GRACE_SECONDS } from '../../src/core/contract/default-terms.ts';
import { TERMS_RANGES } from '../../src/core/contract/terms.ts';
import * as limits from '../../src/core/limits.ts';
import { PERIODS_MS } from '../../src/core/policy/periods.ts';
import type { PeriodName } from '../../src/core/policy/periods.ts';

const DAY_SECONDS = 86_400;
const MIB = 1024 ** 2;
const days = (row: PeriodName): string => `${PERIODS_MS[row] / 1000 / DAY_SECONDS} d`;
const hours = (row: PeriodName): string => `${PERIODS_MS[row] / 3_600_000} h`;
const inDays = (seconds: number): string => `${seconds / DAY_SECONDS} d`;

/** For each row of "The numbers": what has to stand in its second cell. */
const FIGURES: Readonly<Record<string, readonly string[]>> = {
  earning: [`${DEFAULT_TERMS.graceRatePermille / 1000} s per s`, `at most ${inDays(DEFAULT_TERMS.graceCapSeconds)}`],
  'at the start': [
    `${inDays(DEFAULT_TERMS.graceInitialSeconds)} for peers`,
    `${inDays(STRANGER_GRACE_SECONDS)} for strangers`,
  ],
  'disaster floor': [
    `at least ${days('disasterFloor')}`,
    `once in ${days('disasterFloorAgain')}`,
    `after ${days('disasterFloorStranger')} ACTIVE`,
  ],
  'patience in DEGRADED': [days('graceAfterDegradedPatient'), `strangers ${hours('graceAfterDegraded')}`],
  'pause while the owner recovers': [days('recoveringPause'), `once in ${days('recoveringPauseAgain')}`],
  'away, then DEGRADED': [hours('degradedAfterUnreachable')],
  'wrong twice': [`at least ${hours('defaultAfterWrong')} apart`],
  hold: [
    inDays(DEFAULT_TERMS.holdSeconds),
    `${TERMS_RANGES.holdSeconds[0] / DAY_SECONDS} to ${TERMS_RANGES.holdSeconds[1] / DAY_SECONDS} by agreement`,
  ],
  'history in the hold': ['one revision an hour for a day, then one a day'],
  'least amount': [`${limits.TERMS_MIN_BYTES / MIB} MiB`],
  notice: [inDays(DEFAULT_TERMS.noticeSeconds)],
  check: [
    'once a day',
    `${limits.CHALLENGE_BLOCKS} blocks of ${limits.CHALLENGE_BLOCK_BYTES / 1024} KiB`,
    `every ${hours('checkDegradedSpacing')} in DEGRADED`,
    'every hour in GRACE',
  ],
  'healing a copy': [
    `${limits.REPAIR_PERMILLE / 10} % of it`,
    `at least ${limits.REPAIR_CELLS} cells`,
    `within ${days('repairAllowance')}`,
  ],
  'a whole copy once more': [`once in ${days('repairAllowance')}`],
  cure: [`within ${limits.CHALLENGE_SWEEP_PARTS} checks`, `with ${days('curedRemaining')} to begin with`],
  revisions: [`${limits.REVISIONS_PER_DAY} a day`],
  'copies wanted': [`${limits.MIN_REPLICAS_DEFAULT} at first`, `1 to ${limits.MIN_REPLICAS_MAX}`],
  'repair by itself': [`after ${hours('repairAfter')}`, 'fewer than two'],
  strangers: [`${limits.STRANGER_BYTES / MIB} MiB each`, 'a fifth of the limit'],
  'without a person': [`${limits.TERMS_RATIO} : 1`, `${limits.STORAGE_RESERVE_PERMILLE / 10} % of the limit`],
  proposals: [days('proposalLapse'), `${limits.PENDING_PROPOSALS} wait for you`],
  'memory of a contract that is over': [days('tombstone')],
};

/** What is said in words above: if one of these changes, so must the words. */
const WORDS = {
  thinFine: PERIODS_MS.thinFine === 3_600_000,
  thinCoarse: PERIODS_MS.thinCoarse === DAY_SECONDS * 1000,
  checkSpacing: PERIODS_MS.checkSpacing === DAY_SECONDS * 1000,
  challengeRefill: PERIODS_MS.challengeRefill === 3_600_000,
  urgent: limits.URGENT_REPLICAS === 2,
  fifth: limits.STRANGERS_PERMILLE === 200,
};

test('every figure of the page on contracts is that of the program, and every row is compared', () => {
  const page = readFileSync(new URL('../../docs/contracts.md', import.meta.url), 'utf8');
  const lines = page.slice(page.indexOf('## The numbers')).split('\n');
  const rows = lines.filter((line) => /^\| (?!number|---)/.test(line)).map((line) => line.split(' | '));
  assert.deepEqual(new Set(rows.map(([name]) => name?.slice(2))), new Set(Object.keys(FIGURES)));
  for (const [name = '', value = ''] of rows) {
    for (const figure of FIGURES[name.slice(2)] ?? []) assert(value.includes(figure), `${name}: ${figure}`);
  }
  assert.deepEqual(
    Object.entries(WORDS).filter(([, holds]) => !holds),
    [],
  );
});
