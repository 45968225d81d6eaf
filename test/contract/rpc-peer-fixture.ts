// A peer's two ends of bbrpc over a Unix socket without tor or TLS: who calls is what the test says. For tests only.

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Channel, credentials, Server, ServerCredentials } from '@grpc/grpc-js';
import type { ServiceDefinition, UntypedServiceImplementation } from '@grpc/grpc-js';
import { onionIdFromPubkey } from '../../src/core/ids.ts';
import { RPC_MESSAGE_BYTES, RPC_REQUEST_BYTES } from '../../src/core/limits.ts';
import { PeerRefusal } from '../../src/core/refusal.ts';
import type { PeerApi } from '../../src/daemon/peer-api.ts';
import type { Clock } from '../../src/ports/clock.ts';
import { CallQuota } from '../../src/rpc/peer/call-quota.ts';
import { GrpcPeerClient } from '../../src/rpc/peer/client.ts';
import { peerService } from '../../src/rpc/peer/peer-service.ts';

export const CALLER_KEY = Buffer.alloc(32, 0x11);
export const CALLER = onionIdFromPubkey(CALLER_KEY);
export const PEER = onionIdFromPubkey(Buffer.alloc(32, 0x22));

export const silentLogger = { debug() {}, info() {}, warn() {}, error() {} };

/** A clock whose timers fire when the test moves it; sleeps pass at once. */
export class TestClock implements Clock {
  #nowMs = 1_000_000;
  readonly #timers = new Set<{ atMs: number; run: () => void }>();

  nowMs(): number {
    return this.#nowMs;
  }

  monotonicMs(): number {
    return this.#nowMs;
  }

  sleep(): Promise<void> {
    return Promise.resolve();
  }

  after(ms: number, callback: () => void): () => void {
    const timer = { atMs: this.#nowMs + ms, run: callback };
    this.#timers.add(timer);
    return () => void this.#timers.delete(timer);
  }

  advance(ms: number): void {
    this.#nowMs += ms;
    for (const timer of [...this.#timers]) {
      if (timer.atMs > this.#nowMs) continue;
      this.#timers.delete(timer);
      timer.run();
    }
  }
}

export type Rig = {
  readonly client: GrpcPeerClient;
  readonly clock: TestClock;
  /** Lanes for which a channel was opened, in order. */
  readonly opened: number[];
  readonly socketPath: string;
  readonly server: Server;
  [Symbol.asyncDispose](): Promise<void>;
};

/** A client of ours and a server that has whatever service the test wants. */
export async function rigOf(
  service: { definition: ServiceDefinition; handlers: UntypedServiceImplementation },
  clock: TestClock = new TestClock(),
): Promise<Rig> {
  const directory = await mkdtemp(join(tmpdir(), 'bb-rpc-'));
  const socketPath = join(directory, 's');
  const server = new Server({ 'grpc.max_receive_message_length': RPC_REQUEST_BYTES });
  server.addService(service.definition, service.handlers);
  await new Promise<void>((resolve, reject) => {
    server.bindAsync(`unix:${socketPath}`, ServerCredentials.createInsecure(), (error) =>
      error ? reject(error) : resolve(),
    );
  });
  const opened: number[] = [];
  const client = new GrpcPeerClient({
    clock,
    openChannel: ({ lane, onSecure }) => {
      opened.push(lane);
      onSecure('X25519MLKEM768');
      return new Channel(`unix:${socketPath}`, credentials.createInsecure(), {
        'grpc.use_local_subchannel_pool': 1,
        'grpc.max_receive_message_length': RPC_MESSAGE_BYTES,
      });
    },
  });
  return {
    client,
    clock,
    opened,
    socketPath,
    server,
    async [Symbol.asyncDispose]() {
      await client.close();
      server.forceShutdown();
      await rm(directory, { recursive: true, force: true });
    },
  };
}

/** Our own service over a scripted daemon. Methods that the script leaves out refuse with INTERNAL. */
export function serve(script: Partial<PeerApi>, clock = new TestClock(), caller: Buffer | 'nobody' = CALLER_KEY) {
  const missing = (): never => {
    throw new PeerRefusal('INTERNAL');
  };
  const api = new Proxy({ classify: () => 'known', session() {}, ...script } as PeerApi, {
    get: (target, name) => Reflect.get(target, name) ?? missing,
  });
  const service = peerService({
    api,
    clock,
    logger: silentLogger,
    quota: new CallQuota(clock),
    callerOf: () => (caller === 'nobody' ? undefined : caller),
  });
  return rigOf({ definition: service.definition, handlers: { ...service.handlers } }, clock);
}

export async function collect<Item>(items: AsyncIterable<Item>): Promise<Item[]> {
  const all: Item[] = [];
  for await (const item of items) all.push(item);
  return all;
}
