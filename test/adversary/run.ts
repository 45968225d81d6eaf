// `make adversary`: every scripted peer, with its defence and without. PEER=n plays one of them. The last line counts those
// that ended as fixed in advance both times, of all that there are; what is not written yet counts as not passed.

import { isDeepStrictEqual } from 'node:util';
import { playHere, playWithout } from './adversary.ts';
import type { Adversary, Ending } from './adversary.ts';
import { NUMBERS, TABLES } from './catalogue.ts';

const rows = Object.entries(TABLES)
  .flatMap(([table, peers]) => peers.map((peer) => ({ table, peer })))
  .toSorted((a, b) => a.peer.number - b.peer.number);

async function playRow(table: string, peer: Adversary): Promise<string> {
  try {
    return (
      fault('with its defence', await playHere(peer), peer.expected) ??
      fault('without its defence', await playWithout(table, peer), peer.succeeds) ??
      'ok'
    );
  } catch (error) {
    // Daemons whose threads died come as one error with a cause for each.
    const all: unknown[] = error instanceof AggregateError ? [error, ...error.errors] : [error];
    return all.map((one) => (one instanceof Error ? one.message : String(one))).join('; ');
  }
}

function fault(when: string, ending: unknown, wanted: Ending): string | undefined {
  if (isDeepStrictEqual(ending, wanted)) return undefined;
  return `${when}: ${JSON.stringify(ending)}, not ${JSON.stringify(wanted)}`;
}

const wanted = NUMBERS.filter((number) => !process.env['PEER'] || number === Number(process.env['PEER']));
let passed = 0;
for (const number of wanted) {
  const row = rows.find(({ peer }) => peer.number === number);
  const startedMs = performance.now();
  const result = row === undefined ? 'missing' : await playRow(row.table, row.peer);
  if (result === 'ok') passed += 1;
  const seconds = ((performance.now() - startedMs) / 1000).toFixed(1);
  console.log(`${String(number).padStart(2)} ${row?.peer.name ?? ''}: ${result} (${seconds} s)`);
}
console.log(`adversary: ${passed}/${wanted.length}`);
process.exit(passed === wanted.length ? 0 : 1);
