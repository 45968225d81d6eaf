// Every period of the protocol in one table, in milliseconds, read through the injected clock.
// A test network may divide all of them by one number; deadlines and flood limits are a second
// table that is never divided (docs/protocol.md, "Time").

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

export const PERIODS_MS = {
  /** Wait after an explicit setfile/rmfile, or a change of peers, terms or settings, before a revision is offered. */
  publishDebounce: 5 * SECOND,
  tick: 10 * MINUTE,
  /** First retry of a presence probe after the connection to an owner was lost; doubles. */
  probeFirst: 15 * SECOND,
  probeFirstWeekMax: HOUR,
  probeMonthMax: 6 * HOUR,
  probeMax: DAY,
  probeWeek: 7 * DAY,
  probeMonth: 30 * DAY,
  /** A holder that reached a recovering owner but was dropped tries again after this. */
  recoveringRetry: MINUTE,
  selfDial: 6 * HOUR,
  /** `bb init --new` on a typed secret first looks so long for holders. */
  newIdentityLook: 10 * MINUTE,
  freshnessWait: 24 * HOUR,
  publishBlockWait: 72 * HOUR,
  /** An unfinished publish to a peer is offered again after this; doubles. */
  publishRetry: MINUTE,
  publishRetryMax: HOUR,
  checkSpacing: DAY,
  checkDegradedSpacing: 6 * HOUR,
  challengeRefill: HOUR,
  degradedAfterUnreachable: DAY,
  graceAfterDegraded: 72 * HOUR,
  repairAfter: DAY,
  /** The search for another storer goes on after this; doubles. */
  seekAgain: HOUR,
  seekAgainMax: DAY,
  /** A peer that refused is asked again after this. */
  askAgain: DAY,
  hintWindow: HOUR,
  /** A peer known for longer is old enough not to be one of many new names. */
  oldPeer: 60 * DAY,
  uploadStall: 7 * DAY,
  /** An owner does not replace an unfinished pull by a newer offer while it progressed within this time. */
  pullProgress: HOUR,
  /** A pull makes room for one that waits after so long. */
  pullTurn: 10 * MINUTE,
  peerExchange: HOUR,
  /** With a peer whose session stays up addresses are exchanged again after this. */
  peerExchangeAgain: DAY,
  /** A peer whose session stays up is asked again after this what it holds, promises and reproaches. */
  meetAgain: DAY,
  /** Of revisions superseded within the first span one stays, after the second span one per such span. */
  thinFine: HOUR,
  thinCoarse: DAY,
  /** What is remembered of a contract that is over. */
  tombstone: 400 * DAY,
  /** The addresses that are passed on stay the same for so long. */
  peerSample: 7 * DAY,
  /** Peers are passed on if they were reached within this time. */
  peerFresh: 14 * DAY,
  /** A complete copy of the catalog is made so often, and after each change of a contract. */
  catalogBackup: DAY,
  contractRetry: MINUTE,
  proposalLapse: 14 * DAY,
  /** As graceAfterDegraded, for peers the user added and for peers that call us but cannot be dialled. */
  graceAfterDegradedPatient: 14 * DAY,
  disasterFloor: 30 * DAY,
  disasterFloorAgain: 180 * DAY,
  disasterFloorStranger: 60 * DAY,
  recoveringPause: 14 * DAY,
  recoveringPauseAgain: 180 * DAY,
  curedRemaining: 7 * DAY,
  /** An offer that was never followed by an acknowledgement is stale after this, a later one after uploadStall. */
  firstUploadStall: DAY,
  uploadStallWindow: DAY,
  repairAllowance: 30 * DAY,
  /** Two wrong proofs so far apart, and none right between them, are a default. */
  defaultAfterWrong: 6 * HOUR,
  /** Some cells are read and verified so often, and every cell once in the second: in 30 days even if up half the time. */
  scrubStep: 30 * MINUTE,
  scrubPass: 15 * DAY,
  revisionsWindow: DAY,
  scoreReachability: 14 * DAY,
  scoreIntegrity: 60 * DAY,
  scoreAge: 90 * DAY,
} as const;

export type PeriodName = keyof typeof PERIODS_MS;
export type Periods = { readonly [name in PeriodName]: number };

export const PERIOD_FLOOR_MS = 250;
export const TIME_DIVISOR_MAX = 1000;

/** All periods divided by `divisor` (1 to 1,000), none below 250 ms. */
export function dividedPeriods(divisor: number): Periods {
  const entries = Object.entries(PERIODS_MS).map(([name, ms]) => [
    name,
    divisor === 1 ? ms : Math.max(PERIOD_FLOOR_MS, Math.floor(ms / divisor)),
  ]);
  return Object.fromEntries(entries) as Periods;
}

/** Deadlines of single calls and flood windows: real time, never divided. */
export const DEADLINES_MS = {
  call: 60 * SECOND,
  connect: 90 * SECOND,
  /** One circuit of a connect that goes nowhere is given up for a fresh one after this; doubles. */
  connectAttempt: 10 * SECOND,
  handshake: 10 * SECOND,
  challenge: 120 * SECOND,
  challengeSlack: 60 * SECOND,
  downloadIdle: 60 * SECOND,
  /** An upload of which nothing was served for so long was cut: its cells may be asked for again. */
  uploadReopen: 60 * SECOND,
  /** A reader of our stream that takes nothing for so long is gone. */
  serveStall: 5 * MINUTE,
  /** A bulk channel without a call is closed. */
  laneIdle: MINUTE,
  unknownSession: 60 * SECOND,
  keepalive: 25 * SECOND,
  keepaliveTimeout: 20 * SECOND,
  reconnectMin: SECOND,
  reconnectMax: 30 * SECOND,
  descriptorUpload: 120 * SECOND,
  descriptorSettle: 5 * SECOND,
  shutdown: 10 * SECOND,
  /** Wall and monotonic clock differ by more between two ticks: the wall clock was set, the tick counts nothing. */
  clockJump: 10 * MINUTE,
} as const;
