// The floods in full: a minute of each kind of connection, every flood of HTTP/2, idle strangers. Growth of memory is the
// figure; the latencies of a contract peer, idle and flooded in turn, are said beside it.

import { UNKNOWN_SESSIONS } from '../../src/core/limits.ts';
import { party } from '../contract/transport-fixture.ts';
import { resetPeak } from '../e2e/harness/memory.ts';
import { FloodedDaemon, FRIEND, inWords, STRANGER, timedCalls } from '../faults/flooded-daemon.ts';
import { FLOOD_KINDS } from '../faults/flooder.ts';
import { floodSession, HTTP2_FLOODS } from '../faults/http2-floods.ts';
import { realClock } from '../net/real-clock.ts';
import type { Part } from './part.ts';

const PER_SECOND = 1000;
const SECONDS = 60;
/** A contract peer has 120 calls a minute; idle and flooded calls are made at the same pace. */
const GAP_MS = 600;
const IDLE_CALLS = 40;
const FLOODED_CALLS = 80;
const PATIENCE_MS = 30_000;

export const floods: Part = {
  name: 'floods',
  async measure({ say }) {
    await using daemon = await FloodedDaemon.start();
    const friend = daemon.client(FRIEND);
    await timedCalls(friend, daemon.id, 20, 0);
    await (await daemon.flood('hello', 100, 1)).over;
    const restMib = daemon.residentMib;
    resetPeak(daemon.pid);
    for (const kind of FLOOD_KINDS) {
      const idle = await timedCalls(friend, daemon.id, IDLE_CALLS, GAP_MS);
      const flood = await daemon.flood(kind, PER_SECOND, SECONDS);
      const [flooded, entry] = await Promise.all([
        timedCalls(friend, daemon.id, FLOODED_CALLS, GAP_MS),
        secondsToConnect(daemon),
      ]);
      const { opened, answered } = await flood.over;
      say(`${kind}: ${opened} connections, ${answered} answered; a new channel of a contract peer after ${entry}`);
      say(`${kind}: idle ${inWords(idle)}; flooded ${inWords(flooded)}`);
    }
    for (const flood of HTTP2_FLOODS) await floodSession(await daemon.tls(STRANGER), flood, PATIENCE_MS);
    say(`${HTTP2_FLOODS.length} floods of HTTP/2 ended their sessions`);
    const strangers = await Promise.all(
      Array.from({ length: UNKNOWN_SESSIONS }, (_, index) => daemon.http2(party(8000 + index))),
    );
    say(`with ${UNKNOWN_SESSIONS} idle strangers: ${inWords(await timedCalls(friend, daemon.id, IDLE_CALLS, 0))}`);
    for (const session of strangers) session.destroy();
    return { floodMib: Math.max(0, daemon.peakMib - restMib) };
  },
};

/** How long a contract peer needs to get a new channel while the flood goes on, trying as the product does. */
async function secondsToConnect(daemon: FloodedDaemon): Promise<string> {
  const client = daemon.client(FRIEND);
  const startedMs = performance.now();
  while (performance.now() - startedMs < SECONDS * 1000 - GAP_MS) {
    const isIn = await client.healthCheck(daemon.id).then(
      () => true,
      () => false,
    );
    if (isIn) return `${((performance.now() - startedMs) / 1000).toFixed(1)} s`;
    await realClock.sleep(GAP_MS);
  }
  return `more than ${SECONDS} s`;
}
