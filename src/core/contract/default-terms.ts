// What `bb contracts propose` offers where the user says nothing (docs/protocol.md, "Terms").

import type { Terms } from './terms.ts';

const DAY_SECONDS = 86_400;

/** What a stranger is granted at the start: a fresh name costs nothing. */
export const STRANGER_GRACE_SECONDS = 7 * DAY_SECONDS;

export const DEFAULT_TERMS = {
  durationSeconds: 0,
  checkPeriodSeconds: DAY_SECONDS,
  holdSeconds: 7 * DAY_SECONDS,
  graceInitialSeconds: 30 * DAY_SECONDS,
  graceRatePermille: 500,
  graceCapSeconds: 90 * DAY_SECONDS,
  noticeSeconds: 30 * DAY_SECONDS,
} as const satisfies Partial<Terms>;
