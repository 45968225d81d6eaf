// When a storer probes the onion of an owner whose bytes it holds: that is how a node that lost its disk
// is found by its copies (docs/protocol.md, "Rescue by presence"). Never stops before RELEASED.

import { backOffMs, jitteredMs } from './back-off.ts';
import type { Periods } from './periods.ts';

/**
 * Delay before the next probe. `lostMs` = since the connection was lost, `attempt` = probes since then (0 = the
 * first), `fraction` in [0, 1).
 */
export function probeDelayMs(lostMs: number, attempt: number, periods: Periods, fraction: number): number {
  return jitteredMs(backOffMs(attempt, periods.probeFirst, longestMs(lostMs, periods)), fraction);
}

/** A holder that reached a recovering owner but was dropped: 1 to 10 times `recoveringRetry`. */
export function recoveringRetryMs(periods: Periods, fraction: number): number {
  return Math.round(periods.recoveringRetry * (1 + 9 * fraction));
}

function longestMs(lostMs: number, periods: Periods): number {
  if (lostMs < periods.probeWeek) return periods.probeFirstWeekMax;
  return lostMs < periods.probeMonth ? periods.probeMonthMax : periods.probeMax;
}
