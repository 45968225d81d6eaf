// Real tor, real onion services, on the private network: calls authenticated at both ends, and what survives the death of tor.

import assert from 'node:assert/strict';

import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, before, test } from 'node:test';
import { BbError } from '../../src/core/errors.ts';
import { TorHost } from '../../src/net/tor/tor-host.ts';
import { servePeers } from '../../src/rpc/peer/injecting-server.ts';
import type { TlsServer } from '../../src/net/tls-server.ts';
import { ECHO_SERVICE, echoClient, party, pour, SERVER, whoAmI } from '../contract/transport-fixture.ts';
import { startPrivateNetwork } from '../demo/private-network.ts';
import type { PrivateNetwork } from '../demo/private-network.ts';
import { keptLog } from '../net/kept-log.ts';
import { realClock } from '../net/real-clock.ts';
import { torParty, torState } from '../net/tor-party.ts';
import type { TorParty } from '../net/tor-party.ts';

const CALLER = party(2);
const CALL_WITHIN_MS = 45_000;

let dir = '';
let network: PrivateNetwork | undefined;
let serving: TorParty;
let calling: TorParty;
let server: TlsServer | undefined;

before(async () => {
  dir = mkdtempSync(join(tmpdir(), 'bb-tor-'));
  network = await startPrivateNetwork({ dir });
  serving = await torParty(dir, 'serving', network.torrcLines);
  calling = await torParty(dir, 'calling', network.torrcLines);
  server = await servePeers(
    { socketPath: serving.backend, identity: SERVER.tls, service: ECHO_SERVICE },
    { api: { classify: () => 'known', session: () => undefined }, clock: realClock },
  );
  await serving.host.publish(SERVER.expandedKey, SERVER.onion);
  await torState(serving.host, ({ published }) => published);
  await torState(calling.host, ({ phase }) => phase === 'ready');
});

after(async () => {
  await server?.close();
  await serving?.host.close();
  await calling?.host.close();
  await network?.stop();
  rmSync(dir, { recursive: true, force: true });
});

test('a call through Tor is authenticated at both ends and post-quantum', async (context) => {
  const groups: string[] = [];
  const client = echoClient(calling.host, CALLER, groups);
  assert.equal(await whoAmI(client, CALL_WITHIN_MS), CALLER.onion);
  assert.deepEqual(groups, ['X25519MLKEM768']);
  assert.equal(await pour(client, 16), 16 * 65_536);
  const startedMs = performance.now();
  for (let call = 0; call < 10; call++) await whoAmI(client);
  context.diagnostic(`warm call: ${((performance.now() - startedMs) / 10).toFixed(0)} ms`);
  client.close();
});

test('an onion that nobody serves is a value of its own, soon', async () => {
  const nobody = party(77).onion;
  await assert.rejects(calling.host.dial(nobody, 'nobody', CALL_WITHIN_MS), (error) => {
    assert.ok(error instanceof BbError);
    assert.equal(error.code, 'PEER_UNREACHABLE');
    assert.match(error.message, /onion service/);
    return true;
  });
});

test('a tor that runs already can be used by its control socket', async () => {
  const controlSocket = join(dirname(calling.backend), 'control');
  const guest = new TorHost(
    { source: { kind: 'attach', controlSocket }, backend: calling.backend },
    { clock: realClock, logger: keptLog() },
  );
  await guest.start();
  await torState(guest, ({ phase }) => phase === 'ready');
  assert.equal(guest.target(), calling.host.target());
  const client = echoClient(guest, CALLER);
  assert.equal(await whoAmI(client, CALL_WITHIN_MS), CALLER.onion);
  client.close();
  await guest.close();
  assert.equal(calling.host.state().phase, 'ready');
});

test('a tor that was killed comes back by itself and our service with it', async (context) => {
  const startedMs = performance.now();
  const say = (what: string): void => context.diagnostic(`${what}: ${(performance.now() - startedMs).toFixed(0)} ms`);
  const old = torPid('serving');
  process.kill(old, 'SIGKILL');
  await torState(serving.host, ({ phase }) => phase === 'down');
  say('down');
  assert.equal(serving.host.state().published, false);
  await torState(serving.host, ({ published }) => published);
  say('published again');
  assert.notEqual(torPid('serving'), old);
  const client = echoClient(calling.host, CALLER);
  assert.equal(await whoAmI(client, CALL_WITHIN_MS), CALLER.onion);
  say('called again');
  client.close();
});

test('no tor of ours is left after close, and dialling says that there is none', async () => {
  const pid = torPid('calling');
  await calling.host.close();
  assert.throws(() => process.kill(pid, 0), { code: 'ESRCH' });
  await assert.rejects(calling.host.dial(SERVER.onion, 'late', 1000), { code: 'TOR_UNREACHABLE' });
});

/** The process that a party's tor runs as. */
function torPid(name: string): number {
  const wanted = join(dir, name, 'tor', 'torrc');
  for (const pid of readPids()) {
    if (commandLine(pid).includes(wanted)) return pid;
  }
  throw new Error(`no tor runs for ${name}`);
}

function readPids(): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number);
}

function commandLine(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8');
  } catch {
    return '';
  }
}
