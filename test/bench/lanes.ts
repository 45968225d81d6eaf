// What our layers cost over Tor: a pull on a raw stream and through gRPC, on one and on four lanes, and a warm call. On the
// private network, so the figures say nothing about the speed of the public one. `node test/bench/lanes.ts [--paced] [--mib 32]`

import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import type { Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { servePeers } from '../../src/rpc/peer/injecting-server.ts';
import { ECHO_SERVICE, echoClient, party, pour, SERVER, whoAmI } from '../contract/transport-fixture.ts';
import { startPrivateNetwork } from '../demo/private-network.ts';
import { realClock } from '../net/real-clock.ts';
import { torParty, torState } from '../net/tor-party.ts';

const BLOCK_BYTES = 65_536;
const LANES = [1, 4];
const RUNS = 3;

let rawStreams = 0;

const { values } = parseArgs({
  options: { paced: { type: 'boolean', default: false }, mib: { type: 'string', default: '32' } },
});
const blocks = (Number(values.mib) * 1024 * 1024) / BLOCK_BYTES;
const dir = mkdtempSync(join(tmpdir(), 'bb-lanes-'));
const network = await startPrivateNetwork({ dir, isPaced: values.paced });
const raw = await torParty(dir, 'raw', network.torrcLines);
const serving = await torParty(dir, 'serving', network.torrcLines);
const calling = await torParty(dir, 'calling', network.torrcLines);
const RAW = party(8);
const plain = createServer((socket) => void pourRaw(socket).catch(() => socket.destroy())).listen(raw.backend);
const server = await servePeers(
  { socketPath: serving.backend, identity: SERVER.tls, service: ECHO_SERVICE },
  { api: { classify: () => 'known', session: () => undefined }, clock: realClock },
);
try {
  await raw.host.publish(RAW.expandedKey, RAW.onion);
  await serving.host.publish(SERVER.expandedKey, SERVER.onion);
  await Promise.all([raw, serving].map(({ host }) => torState(host, ({ published }) => published)));
  await torState(calling.host, ({ phase }) => phase === 'ready');
  for (const lanes of LANES) {
    console.log(`raw socket, ${lanes} lane(s): ${await rates(lanes, pullRaw)} MB/s`);
    console.log(`gRPC, TLS, ${lanes} lane(s): ${await rates(lanes, pullGrpc)} MB/s`);
  }
  const client = echoClient(calling.host, party(2));
  await whoAmI(client, 60_000);
  const calls: number[] = [];
  for (let call = 0; call < 50; call++) {
    const startedMs = performance.now();
    await whoAmI(client, 60_000);
    calls.push(performance.now() - startedMs);
  }
  client.close();
  calls.sort((a, b) => a - b);
  console.log(`warm call: median ${calls[25]?.toFixed(0)} ms, worst of 50 ${calls[49]?.toFixed(0)} ms`);
} finally {
  await server.close();
  plain.close();
  await Promise.all([raw, serving, calling].map(({ host }) => host.close()));
  await network.stop();
  rmSync(dir, { recursive: true, force: true });
}

/** MB/s of each run; every lane pulls its share at the same time. The connections are made before the clock starts. */
async function rates(lanes: number, pull: (blocks: number) => Promise<() => Promise<number>>): Promise<string> {
  const found: string[] = [];
  for (let run = 0; run < RUNS; run++) {
    const ready = await Promise.all(Array.from({ length: lanes }, () => pull(blocks / lanes)));
    const startedMs = performance.now();
    const received = await Promise.all(ready.map((start) => start()));
    const bytes = received.reduce((sum, part) => sum + part, 0);
    found.push((bytes / 1000 / (performance.now() - startedMs)).toFixed(1));
  }
  return found.join(' ');
}

async function pullGrpc(count: number): Promise<() => Promise<number>> {
  const client = echoClient(calling.host, party(2));
  await whoAmI(client, 60_000);
  return async () => {
    const received = await pour(client, count);
    client.close();
    return received;
  };
}

async function pullRaw(count: number): Promise<() => Promise<number>> {
  const socket = await calling.host.dial(RAW.onion, `raw${rawStreams++}`, 60_000);
  return async () => {
    const request = Buffer.alloc(4);
    request.writeUInt32BE(count);
    socket.write(request);
    let received = 0;
    for await (const bytes of socket) received += (bytes as Buffer).length;
    return received;
  };
}

async function pourRaw(socket: Socket): Promise<void> {
  const block = Buffer.alloc(BLOCK_BYTES, 1);
  const [request] = (await new Promise((resolve) => socket.once('data', (bytes) => resolve([bytes])))) as [Buffer];
  for (let left = request.readUInt32BE(0); left > 0; left--) {
    if (!socket.write(block)) await new Promise((resolve) => socket.once('drain', resolve));
  }
  socket.end();
}
