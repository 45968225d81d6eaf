// Which addresses a node passes on (docs/protocol.md, "Methods"). The sample stays for a week and is the same for all
// callers: whoever asks again and again, under many names, learns no more than whoever asks once.

import { sha256 } from '../crypto/hash.ts';
import type { OnionId } from '../ids.ts';
import type { Periods } from './periods.ts';

/** Ranks of the ids of one week: every exchange of addresses asks for those of all peers that were reached lately. */
export class PeerRanks {
  #week = -1;
  readonly #ranks = new Map<OnionId, string>();

  of(self: OnionId, week: number, id: OnionId): string {
    if (week !== this.#week) this.#ranks.clear();
    this.#week = week;
    const rank = this.#ranks.get(id) ?? sha256(Buffer.from(`${self} ${week} ${id}`)).toString('hex');
    this.#ranks.set(id, rank);
    return rank;
  }
}

/** At most `count` of `ids`, in an order that depends on `self` and the week only. */
export function peerSample(
  ranks: PeerRanks,
  self: OnionId,
  ids: readonly OnionId[],
  nowMs: number,
  periods: Periods,
  count: number,
): OnionId[] {
  const week = Math.floor(nowMs / periods.peerSample);
  return ids
    .map((id) => ({ id, rank: ranks.of(self, week, id) }))
    .sort((a, b) => (a.rank < b.rank ? -1 : 1))
    .slice(0, count)
    .map(({ id }) => id);
}
