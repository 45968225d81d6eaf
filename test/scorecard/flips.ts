// The part `flips`: every byte of both headers, of the catalog, its copy and its journal, of the headers of both packs and of
// one slot in each. The catalog has small pages here, because each flip of it opens a whole directory.

import { FILES, FlipBench } from '../faults/flips.ts';
import { PACK_RANGES, PackBench } from '../faults/flips-packs.ts';
import { makeSpecimen } from '../faults/flips-world.ts';
import type { Verdict } from '../faults/flips-judge.ts';
import type { Part } from './part.ts';

export const flips: Part = {
  name: 'flips',
  async measure({ say }) {
    const specimen = await makeSpecimen(true);
    const count = { good: 0, all: 0, lost: 0 };
    const run = async (
      name: string,
      places: Iterable<number>,
      flip: (at: number) => Promise<Verdict>,
    ): Promise<void> => {
      const kinds = { same: 0, found: 0, wrong: 0, crashed: 0 };
      for (const at of places) {
        const { kind, what } = await flip(at);
        kinds[kind] += 1;
        if (kind === 'wrong' || kind === 'crashed') say(`${name}, byte ${at}: ${kind}: ${what}`);
      }
      say(`${name}: ${kinds.found} found, ${kinds.same} harmless, ${kinds.wrong} wrong, ${kinds.crashed} crashed`);
      count.good += kinds.found + kinds.same;
      count.all += kinds.found + kinds.same + kinds.wrong + kinds.crashed;
      count.lost += kinds.wrong;
    };
    for (const kind of ['own', 'peers'] as const) {
      const packs = await PackBench.open(specimen, kind);
      for (const { from, to } of PACK_RANGES)
        await run(`${kind}/pack-0 ${from}-${to}`, places(from, to), (at) => packs.flip(at));
    }
    const bench = await FlipBench.open(specimen);
    try {
      // The catalog beside its journal is nearly the one without: what differs is in the journal.
      for (const [state, name] of FILES.filter(([of, file]) => of === 'closed' || file === 'state.db-wal')) {
        const length = specimen[state].get(name)?.length ?? 0;
        await run(`${name} (${state})`, places(0, length), (at) => bench.flip(state, name, at));
      }
    } finally {
      bench.close();
    }
    return { flips: { good: count.good, all: count.all }, lost: count.lost };
  },
};

function* places(from: number, to: number): Generator<number> {
  for (let at = from; at < to; at += 1) yield at;
}
