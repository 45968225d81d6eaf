// How long a recovery has waited, in the counted time of this node: only while it was awake and in touch, kept over
// restarts, and moved by no clock (docs/protocol.md, "Freshness").

import type { NodeRecord } from '../core/records.ts';

/** What the node record says of a recovery when there is none. */
export const NO_RECOVERY = { recoveringId: Buffer.alloc(0), firstAnswerSeconds: -1, acceptedSequence: 0 } as const;

/** Nominal milliseconds since the first holder answered, to be compared with PERIODS_MS; undefined before that. */
export function sinceFirstAnswerMs({ firstAnswerSeconds, countedSeconds }: NodeRecord): number | undefined {
  return firstAnswerSeconds < 0 ? undefined : (countedSeconds - firstAnswerSeconds) * 1000;
}
