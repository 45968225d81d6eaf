// A real bbd without tor, and what is needed to flood it: its socket behind the onion service, a contract peer of it in
// this process with a warm channel, strangers, and its memory as the kernel counts it. Tests play tor and dial that socket.

import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect as connectHttp2 } from 'node:http2';
import type { ClientHttp2Session } from 'node:http2';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect as connectTls } from 'node:tls';
import type { TLSSocket } from 'node:tls';
import { DaemonClient } from '../../cli/client.ts';
import type { OnionId } from '../../src/core/ids.ts';
import { BarterBackupClientService as Local, SecretMode } from '../../src/gen/clirpc/v1/clirpc.ts';
import { peerChannels } from '../../src/rpc/peer/channel-factory.ts';
import { GrpcPeerClient } from '../../src/rpc/peer/client.ts';
import { party } from '../contract/transport-fixture.ts';
import type { Party } from '../contract/transport-fixture.ts';
import { residentKib } from '../e2e/harness/memory.ts';
import { LoopbackRoute } from '../net/loopback-route.ts';
import { realClock } from '../net/real-clock.ts';
import type { FloodKind, FloodResult } from './flooder.ts';

/** What is kept of the daemon's log, for the message when it does not start. */
const LOG_BYTES = 65_536;
/** What a flood may cost. */
export const FLOOD_MIB = 64;
const REPO = join(import.meta.dirname, '../..');
/** A contract peer and a stranger that no other test has. */
export const FRIEND = party(7001);
export const STRANGER = party(7002);

export type RunningFlood = { readonly over: Promise<FloodResult> };

export class FloodedDaemon {
  readonly socketPath: string;
  readonly id: OnionId;
  readonly #dir: string;
  readonly #process: ChildProcess;
  readonly #clients: GrpcPeerClient[] = [];
  readonly #children: ChildProcess[] = [];

  private constructor(dir: string, daemon: ChildProcess, id: OnionId) {
    this.#dir = dir;
    this.#process = daemon;
    this.id = id;
    this.socketPath = join(dir, 'data/sock/peers');
  }

  /** An unlocked node that knows FRIEND; strangers are strangers to it. */
  static async start(): Promise<FloodedDaemon> {
    const dir = mkdtempSync(join(tmpdir(), 'bb-flood-'));
    const config = join(dir, 'config.toml');
    writeFileSync(config, `[tor]\nbinary = "${dir}/no-tor-here"\n`);
    const args = [join(REPO, 'src/bbd.cjs'), '--data-dir', join(dir, 'data'), '--config', config];
    const daemon = spawn(process.execPath, args, { stdio: ['ignore', 'ignore', 'pipe'] });
    await logged(daemon, 'started');
    const socket = join(dir, 'data/sock/bb.sock');
    const local = await DaemonClient.open({ socket, timeoutMs: undefined, signal: new AbortController().signal });
    const secret = { mode: SecretMode.SECRET_MODE_PHRASE, generate: true, mainPassword: Buffer.alloc(0), account: '' };
    const made = await local.unary(Local.init, { ...secret, allowWeak: false, name: 'flooded', newIdentity: false });
    const friend = { onionServiceId: FRIEND.onion, name: 'friend' };
    await local.unary(Local.connectPeer, { peer: friend, wait: false });
    local.close();
    return new FloodedDaemon(dir, daemon, made.onionServiceId as OnionId);
  }

  /** A client of `who` as the product has one; not connected yet. */
  client(who: Party): GrpcPeerClient {
    const route = new LoopbackRoute();
    route.sockets.set(this.id, this.socketPath);
    const random = { bytes: (count: number) => randomBytes(count), fraction: () => Math.random() };
    const openChannel = peerChannels({ route, identity: who.tls, clock: realClock, random });
    const client = new GrpcPeerClient({ openChannel, clock: realClock });
    this.#clients.push(client);
    return client;
  }

  /** An authenticated connection of `who` on which it can write whatever it likes. */
  async tls(who: Party): Promise<TLSSocket> {
    const options = { ALPNProtocols: ['h2'], rejectUnauthorized: false, servername: '' };
    const socket = connectTls({ path: this.socketPath, ...who.tls, ...options });
    socket.on('error', () => undefined);
    await once(socket, 'secureConnect');
    return socket;
  }

  /** An HTTP/2 session of `who` without gRPC. */
  async http2(who: Party): Promise<ClientHttp2Session> {
    const socket = await this.tls(who);
    const session = connectHttp2('https://peer', { createConnection: () => socket });
    session.on('error', () => undefined);
    await once(session, 'remoteSettings');
    return session;
  }

  /** Begins a flood from a process of its own. */
  async flood(kind: FloodKind, perSecond: number, seconds: number): Promise<RunningFlood> {
    const args = [join(import.meta.dirname, 'flooder.ts'), this.socketPath, kind, String(perSecond), String(seconds)];
    const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
    this.#children.push(child);
    let text = '';
    child.stdout.on('data', (bytes: Buffer) => (text += bytes.toString('utf8')));
    const over = once(child, 'close').then(() => JSON.parse(text.split('\n')[1] ?? '') as FloodResult);
    over.catch(() => undefined);
    await once(child.stdout, 'data');
    return { over };
  }

  /** Resident memory of the daemon, in MiB. */
  get residentMib(): number {
    return residentKib(this.pid, 'VmRSS') / 1024;
  }

  /** Its high water mark since the start. */
  get peakMib(): number {
    return residentKib(this.pid, 'VmHWM') / 1024;
  }

  get pid(): number {
    const { pid } = this.#process;
    if (pid === undefined || this.#process.exitCode !== null) throw new Error('the daemon is gone');
    return pid;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const client of this.#clients) await client.close();
    for (const child of [...this.#children, this.#process]) {
      if (child.exitCode !== null) continue;
      child.kill('SIGKILL');
      await once(child, 'exit');
    }
    rmSync(this.#dir, { recursive: true, force: true });
  }
}

/** Resolves when the daemon has logged this; its log goes on being read. */
function logged(daemon: ChildProcess, word: string): Promise<void> {
  return new Promise((resolve, reject) => {
    let text = '';
    daemon.stderr?.on('data', (bytes: Buffer) => {
      if (text.length < LOG_BYTES) text += bytes.toString('utf8');
      if (text.includes(word)) resolve();
    });
    daemon.once('exit', () => reject(new Error(`the daemon ended: ${text}`)));
  });
}

/** Milliseconds of each of `count` calls on the warm channel, `gapMs` apart; each must succeed. */
export async function timedCalls(
  client: GrpcPeerClient,
  peer: OnionId,
  count: number,
  gapMs: number,
): Promise<Latencies> {
  const times: number[] = [];
  for (let call = 0; call < count; call += 1) {
    const startedMs = performance.now();
    await client.healthCheck(peer, { deadlineMs: 20_000 });
    times.push(performance.now() - startedMs);
    await realClock.sleep(gapMs);
  }
  times.sort((a, b) => a - b);
  const at = (share: number): number => times[Math.min(times.length - 1, Math.floor(times.length * share))] ?? 0;
  return { medianMs: at(0.5), p95Ms: at(0.95), worstMs: at(1) };
}

export type Latencies = { readonly medianMs: number; readonly p95Ms: number; readonly worstMs: number };

export function inWords({ medianMs, p95Ms, worstMs }: Latencies): string {
  return `median ${medianMs.toFixed(1)} ms, p95 ${p95Ms.toFixed(1)} ms, worst ${worstMs.toFixed(1)} ms`;
}
