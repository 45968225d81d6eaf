// A challenge as both sides know it (docs/protocol.md, "Spot checks"). Plain data.

export type CellRange = { readonly startCell: number; readonly cells: number };

export type ChallengeQuestion = {
  readonly contentId: Buffer;
  /** 32 bytes, the mac key. */
  readonly nonce: Buffer;
  /** 32 bytes, chooses the blocks. */
  readonly seed: Buffer;
  readonly count: number;
  readonly blockBytes: number;
  /** At most CHALLENGE_RANGES, rising, not overlapping. */
  readonly ranges: readonly CellRange[];
};

/** Only `wrong` is a failed check. */
export type ChallengeOutcome = 'held' | 'wrong' | 'late' | 'unreachable';
