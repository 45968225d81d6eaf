// Which addresses a node passes on (docs/protocol.md, "Methods"). The sample stays for a week and is the same for all
// callers: whoever asks again and again, under many names, learns no more than whoever asks once.

import { sha256 } from '../crypto/hash.ts';
import type { OnionId } from '../ids.ts';
import type { Periods } from './periods.ts';

/** At most `count` of `ids`, in an order that depends on `self` and the week only. */
export function peerSample(
  self: OnionId,
  ids: readonly OnionId[],
  nowMs: number,
  periods: Periods,
  count: number,
): OnionId[] {
  const week = Math.floor(nowMs / periods.peerSample);
  const rank = (id: OnionId): string => sha256(Buffer.from(`${self} ${week} ${id}`)).toString('hex');
  return ids
    .map((id) => ({ id, rank: rank(id) }))
    .toSorted((a, b) => (a.rank < b.rank ? -1 : 1))
    .slice(0, count)
    .map(({ id }) => id);
}
