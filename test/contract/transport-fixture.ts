// Two ends of the authenticated transport on a loopback route, with a service that echoes raw bytes.

import { createHash, randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client, credentials } from '@grpc/grpc-js';
import type { sendUnaryData, ServerUnaryCall, ServerWritableStream } from '@grpc/grpc-js';
import { ed25519Pair } from '../../src/core/crypto/ed25519.ts';
import { onionIdFromPubkey } from '../../src/core/ids.ts';
import type { OnionId } from '../../src/core/ids.ts';
import type { CallerClass } from '../../src/daemon/peer-api.ts';
import type { OnionRoute } from '../../src/net/onion-route.ts';
import { tlsIdentity } from '../../src/net/tls-identity.ts';
import type { TlsIdentity } from '../../src/net/tls-identity.ts';
import type { Clock } from '../../src/ports/clock.ts';
import { peerChannels } from '../../src/rpc/peer/channel-factory.ts';
import { callerOf, servePeers } from '../../src/rpc/peer/injecting-server.ts';
import { LoopbackRoute } from '../net/loopback-route.ts';
import { realClock } from '../net/real-clock.ts';

export type Party = { readonly onion: OnionId; readonly tls: TlsIdentity; readonly expandedKey: string };

/** An identity from a seed, as everywhere the same for the same number. */
export function party(number: number): Party {
  const seed = createHash('sha256').update(`party ${number}`).digest();
  const { privateKey, pubkey } = ed25519Pair(seed);
  const expanded = createHash('sha512').update(seed).digest();
  expanded[0] = (expanded[0] ?? 0) & 248;
  expanded[31] = ((expanded[31] ?? 0) & 63) | 64;
  return {
    onion: onionIdFromPubkey(pubkey),
    tls: tlsIdentity(privateKey, randomBytes(16)),
    expandedKey: expanded.toString('base64'),
  };
}

export const SERVER = party(1);

const same = (bytes: Buffer): Buffer => bytes;
const method = (path: string, responseStream: boolean) => ({
  path,
  requestStream: false,
  responseStream,
  requestSerialize: same,
  requestDeserialize: same,
  responseSerialize: same,
  responseDeserialize: same,
});

/** `whoAmI` answers the caller's key; `pour` streams as many 64 KiB messages as the request's first 4 bytes say. */
export const ECHO_SERVICE = {
  definition: { whoAmI: method('/test/WhoAmI', false), pour: method('/test/Pour', true) },
  handlers: {
    whoAmI: (call: ServerUnaryCall<Buffer, Buffer>, done: sendUnaryData<Buffer>) => {
      done(null, Buffer.from(callerOf(call) ?? []));
    },
    pour: async (call: ServerWritableStream<Buffer, Buffer>) => {
      const block = Buffer.alloc(65_536, 1);
      let wake = (): void => undefined;
      call.on('drain', () => wake()).on('close', () => wake());
      for (let left = call.request.readUInt32BE(0); left > 0 && !call.destroyed; left--) {
        if (!call.write(block)) await new Promise<void>((resolve) => (wake = resolve));
      }
      call.end();
    },
  },
};

export type Rig = {
  readonly dir: string;
  readonly socketPath: string;
  readonly route: LoopbackRoute;
  /** Sessions as the server reported them: `+onion` and `-onion`. */
  readonly sessions: string[];
  /** A client of `who` to the server; `groups` collects what onSecure said. */
  client(who: Party, groups?: string[]): Client;
  [Symbol.asyncDispose](): Promise<void>;
};

export async function serveEcho(
  options: {
    readonly classify?: (caller: OnionId) => CallerClass;
    readonly clock?: Clock;
    readonly tls?: TlsIdentity;
  } = {},
): Promise<Rig> {
  const dir = mkdtempSync(join(tmpdir(), 'bb-transport-'));
  const socketPath = join(dir, 'peer');
  const sessions: string[] = [];
  const route = new LoopbackRoute();
  route.sockets.set(SERVER.onion, socketPath);
  const server = await servePeers(
    { socketPath, identity: options.tls ?? SERVER.tls, service: ECHO_SERVICE },
    {
      api: {
        classify: options.classify ?? (() => 'known'),
        session: (caller, up) => sessions.push(`${up ? '+' : '-'}${caller}`),
      },
      clock: options.clock ?? realClock,
    },
  );
  const clients: Client[] = [];
  return {
    dir,
    socketPath,
    route,
    sessions,
    client: (who, groups = []) => {
      const client = echoClient(route, who, groups);
      clients.push(client);
      return client;
    },
    [Symbol.asyncDispose]: async () => {
      for (const client of clients) client.close();
      await server.close();
      rmSync(dir, { recursive: true });
    },
  };
}

export function echoClient(route: OnionRoute, who: Party, groups: string[] = [], peer: OnionId = SERVER.onion): Client {
  const open = peerChannels({
    route,
    identity: who.tls,
    clock: realClock,
    random: { bytes: (count) => randomBytes(count), fraction: () => Math.random() },
  });
  const channelOverride = open({ peer, lane: 0, onSecure: (group) => groups.push(group) });
  return new Client(peer, credentials.createInsecure(), { channelOverride });
}

/** The onion id that the server saw. */
export function whoAmI(client: Client, deadlineMs = 5000): Promise<OnionId> {
  return new Promise((resolve, reject) => {
    const deadline = Date.now() + deadlineMs;
    client.makeUnaryRequest('/test/WhoAmI', same, same, Buffer.alloc(0), { deadline }, (error, key) => {
      if (error === null && key !== undefined) resolve(onionIdFromPubkey(key));
      else reject(error ?? new Error('no answer'));
    });
  });
}

/** Bytes received from `pour`. */
export async function pour(client: Client, messages: number): Promise<number> {
  const request = Buffer.alloc(4);
  request.writeUInt32BE(messages);
  let received = 0;
  for await (const bytes of client.makeServerStreamRequest('/test/Pour', same, same, request)) {
    received += (bytes as Buffer).length;
  }
  return received;
}

/** Waits, without a fixed sleep, until something that another process or event loop turn does has happened. */
export async function until(isDone: () => boolean): Promise<void> {
  const deadlineMs = performance.now() + 5000;
  while (!isDone()) {
    if (performance.now() > deadlineMs) throw new Error('it did not happen in time');
    await new Promise((resolve) => setImmediate(resolve));
  }
}
