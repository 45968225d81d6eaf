// The people and machines of a simulated year (the figures of its tables are parameters of the proof, not of the program).

/** How often a machine is on. */
export const AVAILABILITY = [0.2, 0.5, 0.8, 0.98] as const;

export const CHURN = {
  /** A session: exponential with this mean, within these bounds. */
  sessionHours: { mean: 24, min: 1 / 6, max: 96 },
  /** Part of the sessions that end by switching off; the others end by closing the lid. */
  switchedOff: 0.3,
  departuresPerYear: 1,
  diskLossesPerYear: 0.33,
  /** From a dead disk to a new machine on which the words are typed. */
  newMachineHours: { mean: 36, min: 1, max: 168 },
  /** Disks with latent errors, and how often one of them damages a cell. */
  weakDisks: 0.05,
  weakDiskDays: 20,
  /** Once a quarter so many machines are off for so long at the same time. */
  outageDays: 91,
  outageShare: 0.1,
  outageHours: 72,
  malicious: 0.1,
  /** One file is edited so often while the machine is on. */
  editDays: 7,
  /** Cells of a content, spread evenly over its logarithm. */
  contentCells: [8, 160],
  /** Each person looks after the friends so often. */
  careHours: 24,
  /** More contracts than wanted copies that a person tries to have. */
  spareFriends: 2,
  /** New friends that a person makes at a time. */
  friendsAtOnce: 3,
  arrivalDays: 3,
} as const;

/** Bytes that both sides of a contract promise, in cells: more than any content. */
export const CONTRACT_CELLS = 400;
export const YEAR_DAYS = 365.25;
