// One daemon of a test from the real parts: it can be killed as by kill -9, restarted, wiped, and stopped before any call.
// Only Tor is a loopback, and the key derivation is cheap.

import { hkdfSync } from 'node:crypto';
import * as fs from 'node:fs';
import { join } from 'node:path';
import { systemRandom } from '../../src/app/system-random.ts';
import { packKeys } from '../../src/core/crypto/dir-keys.ts';
import type { Keyring } from '../../src/core/crypto/keyring.ts';
import type { OnionId } from '../../src/core/ids.ts';
import { BALLAST_BYTES } from '../../src/core/limits.ts';
import { dividedPeriods } from '../../src/core/policy/periods.ts';
import { Daemon } from '../../src/daemon/daemon.ts';
import type { Network } from '../../src/daemon/deps.ts';
import type { DaemonEvent, InitArgs, LocalApi, SetFileResult } from '../../src/daemon/local-api.ts';
import { localApiOf } from '../../src/daemon/local-api-of.ts';
import type { PeerApi } from '../../src/daemon/peer-api.ts';
import type { Session } from '../../src/daemon/session.ts';
import { tlsIdentity } from '../../src/net/tls-identity.ts';
import type { Clock } from '../../src/ports/clock.ts';
import type { Logger } from '../../src/ports/logger.ts';
import type { OnionHost, TorState } from '../../src/ports/onion-host.ts';
import { CallQuota } from '../../src/rpc/peer/call-quota.ts';
import { peerChannels } from '../../src/rpc/peer/channel-factory.ts';
import { GrpcPeerClient } from '../../src/rpc/peer/client.ts';
import { callerOf, servePeers } from '../../src/rpc/peer/injecting-server.ts';
import { peerService } from '../../src/rpc/peer/peer-service.ts';
import { DiskDataDir } from '../../src/storage/data-dir.ts';
import { PackCellStore } from '../../src/storage/packs/pack-cell-store.ts';
import { metadataCodec } from '../../src/storage/stored/metadata-codec.ts';
import { startCatalog } from '../../src/work/catalog/catalog-proxy.ts';
import { ThreadWorkers } from '../../src/work/thread-workers.ts';
import { realClock } from '../net/real-clock.ts';
import type { DaemonWorld } from './daemon-world.ts';
import { fencedClock } from './fenced-clock.ts';

const TIME_DIVISOR = 1000;

/** What a node learns by these calls it may know without an event that says so. */
const SILENT_CHANGES: ReadonlySet<PropertyKey> = new Set(['putRecords', 'exchangePeers']);

/** Runs before every call of a method of workers, catalog, peer cells or client; may wait or throw. */
export type Hook = (call: number, args: readonly unknown[]) => Promise<void> | void;

/** What must not move any more when a node is killed, and where tests wait inside. */
class Life {
  isDead = false;
}

export class DaemonNode {
  readonly world: DaemonWorld;
  readonly name: string;
  words = '';
  /** All events of all lives of this node. */
  events: DaemonEvent[] = [];
  readonly log: string[] = [];
  readonly crashes: Error[] = [];
  readonly hooks = new Map<string, Hook>();
  /** Run when a call has succeeded, before its result is passed on; may throw instead. */
  readonly afterHooks = new Map<string, () => void>();
  /** Puts something else in the place of the result of a call: how a peer lies. */
  readonly changes = new Map<string, (result: never, args: readonly unknown[]) => unknown>();
  /** Answered to other nodes in place of what the daemon would say: a peer that does not keep to the protocol. */
  readonly answers: Partial<PeerApi> = {};
  timeDivisor = TIME_DIVISOR;
  /** From the words to the master key: cheap, unless a test brings a node of real words along. */
  deriveMaster = (words: Buffer): Promise<Buffer> =>
    Promise.resolve(Buffer.from(hkdfSync('sha512', words, '', 'cheap', 64)));
  #life = new Life();
  #daemon: Daemon | undefined;
  #stops: (() => Promise<void>)[] = [];
  #id: OnionId | undefined;
  readonly #calls = new Map<string, number>();

  constructor(world: DaemonWorld, name: string) {
    this.world = world;
    this.name = name;
  }

  get dir(): string {
    return join(this.world.dir, this.name);
  }

  get socketPath(): string {
    return join(this.world.dir, `${this.name}.sock`);
  }

  get daemon(): Daemon {
    if (this.#daemon === undefined) throw new Error(`${this.name} is down`);
    return this.#daemon;
  }

  get session(): Session {
    return this.daemon.session;
  }

  get api(): LocalApi {
    return localApiOf(this.daemon);
  }

  get id(): OnionId {
    if (this.#id === undefined) throw new Error(`${this.name} has no identity yet`);
    return this.#id;
  }

  /** A daemon on this node's data directory, locked or not initialised. */
  async start(): Promise<void> {
    this.#life = new Life();
    const life = this.#life;
    const onCrash = (error: Error) => {
      if (!life.isDead) this.crashes.push(error);
    };
    fs.mkdirSync(this.dir, { recursive: true });
    const ballast = join(this.dir, 'ballast');
    if (!fs.existsSync(ballast)) {
      fs.writeFileSync(ballast, '');
      fs.truncateSync(ballast, BALLAST_BYTES); // a sparse one: what it is for is shown elsewhere
    }
    const dataDir = new DiskDataDir(this.dir);
    await dataDir.lock();
    this.#stops.unshift(() => dataDir.close());
    const catalog = startCatalog(this.dir, onCrash);
    this.#stops.unshift(() => catalog.close());
    const workers = new ThreadWorkers({ dataDir: this.dir, clock: realClock, onCrash });
    this.#stops.unshift(() => workers.close());
    const cheap = Object.assign(this.#fenced(life, workers), {
      deriveMaster: (secret: Buffer) => this.deriveMaster(secret),
    });
    const clock = fencedClock(life);
    const daemon = new Daemon({
      clock,
      random: systemRandom,
      log: this.#logger(),
      catalog: this.#fenced(life, catalog),
      dataDir,
      workers: cheap,
      metadata: metadataCodec,
      tor: this.#onionHost(),
      periods: dividedPeriods(TIME_DIVISOR),
      timeDivisor: this.timeDivisor,
      version: 'test',
      checkPassword: () => Promise.resolve(),
      openPeerCells: async (wrapKey) => {
        const store = { dir: join(this.dir, 'peers'), kind: 'peers', keys: packKeys(wrapKey) } as const;
        const cells = new PackCellStore(store, systemRandom);
        await cells.open(await catalog.marks('peers'));
        this.#stops.unshift(() => cells.close());
        return this.#fenced(life, cells);
      },
      openNetwork: (keyring, api) => this.#openNetwork(life, clock, keyring, api),
    });
    this.#daemon = daemon;
    await daemon.start();
    void this.#listen(daemon);
  }

  /** `generated` makes the words of this node; the others type them, or those given. */
  async init(how: 'generated' | 'new' | 'recover', words = this.words): Promise<void> {
    const args: InitArgs = {
      mode: 'phrase',
      generate: how === 'generated',
      secret: Buffer.from(how === 'generated' ? '' : words),
      account: '',
      allowWeak: false,
      name: this.name,
      newIdentity: how === 'new',
    };
    const made = await this.api.init(args);
    this.#id = made.onionId;
    this.words = how === 'generated' ? made.words.join(' ') : words;
  }

  async unlock(): Promise<void> {
    this.#id = (await this.api.unlock(Buffer.from(this.words))).onionId;
  }

  /** As kill -9: nothing that was going on goes on, and nothing is said to anybody. */
  async kill(): Promise<void> {
    this.#life.isDead = true;
    if (this.#id !== undefined && this.world.published.get(this.#id) === this) this.world.published.delete(this.#id);
    const { name } = this;
    const id = this.#id;
    this.world.breakStreams(({ from, to }) => from === name || to === id);
    for (const stop of this.#stops.splice(0)) await stop();
    this.#daemon = undefined;
  }

  async restart(): Promise<void> {
    await this.kill();
    await this.start();
    await this.unlock();
  }

  /** Killed, and the disk is gone. */
  async wipe(): Promise<void> {
    await this.kill();
    fs.rmSync(this.dir, { recursive: true, force: true });
    await this.start();
  }

  /** Events of this name since `from`, an index into `events`. */
  said(name: string, attributes: Record<string, string> = {}, from = 0): DaemonEvent[] {
    return this.events.slice(from).filter((event) => {
      if (event.name !== name) return false;
      return Object.entries(attributes).every(([key, value]) => event.attributes[key] === value);
    });
  }

  async hears(name: string, attributes: Record<string, string> = {}, from = 0): Promise<void> {
    await this.world.until(`${this.name} says ${name} ${JSON.stringify(attributes)}`, () => {
      return this.said(name, attributes, from).length > 0;
    });
  }

  /** Stops before the `call`-th call (1 = first) of a method until `go`; `reached` resolves when it is there. */
  pauseAt(method: string, call: number): { readonly reached: Promise<void>; readonly go: () => void } {
    let go: () => void = () => undefined;
    let reach: () => void = () => undefined;
    const opened = new Promise<void>((resolve) => (go = resolve));
    const reached = new Promise<void>((resolve) => (reach = resolve));
    this.#calls.delete(method);
    this.hooks.set(method, async (number) => {
      if (number < call) return;
      reach();
      await opened;
    });
    return { reached, go };
  }

  /** Writes files below a source folder of this node, and returns the folder. */
  source(files: Record<string, string | Buffer>): string {
    const folder = join(this.world.dir, `${this.name}-source`);
    for (const [name, bytes] of Object.entries(files)) {
      fs.mkdirSync(join(folder, name, '..'), { recursive: true });
      fs.writeFileSync(join(folder, name), bytes);
    }
    return folder;
  }

  /** Sets the whole source folder under `docs`. */
  setFiles(files: Record<string, string | Buffer>): Promise<SetFileResult> {
    const path = Buffer.from(this.source(files));
    const source = { kind: 'path', path, name: Buffer.from('docs') } as const;
    return this.api.setFile(source, () => undefined, new AbortController().signal);
  }

  /** Name -> kind, mode, mtime, link target and SHA-256 of every entry, for comparing two nodes. */
  async listing(): Promise<Map<string, string>> {
    const lines = new Map<string, string>();
    for await (const batch of this.api.listFiles(Buffer.alloc(0))) {
      for (const { path, kind, mode, mtimeNs, target, sha256 } of batch) {
        const facts = [kind, mode.toString(8), mtimeNs, target.toString('hex'), sha256.toString('hex')];
        lines.set(path.toString('latin1'), facts.join(' '));
      }
    }
    return lines;
  }

  async read(name: string): Promise<Buffer> {
    const parts: Buffer[] = [];
    for await (const item of this.api.readFiles(Buffer.from(name))) if (item.kind === 'data') parts.push(item.bytes);
    return Buffer.concat(parts);
  }

  /** Content bytes exchanged with a peer in this life. */
  bytes(what: 'served' | 'pulled' | 'recovered' | 'returned', peer: DaemonNode): number {
    return this.session.transfers.all().get(peer.id)?.[what] ?? 0;
  }

  replicaAt(peer: DaemonNode) {
    return this.session.registry.contract(peer.id)?.replica;
  }

  /** This peer proved our newest revision. */
  isProvedAt(peer: DaemonNode): boolean {
    const newest = this.session.newest?.row.contentId;
    return newest !== undefined && !this.session.node.dirty && this.replicaAt(peer)?.proved.equals(newest) === true;
  }

  holdsFor(owner: DaemonNode) {
    return this.session.registry.heldOf(owner.id).find(({ value }) => value.role === 'current')?.value;
  }

  async #listen(daemon: Daemon): Promise<void> {
    for await (const event of daemon.bus.subscribe(true, new AbortController().signal)) {
      this.events.push(event);
      this.world.notify();
    }
  }

  #logger(): Logger {
    const line = (level: string) => (message: string, fields?: object) => {
      this.log.push(`${level} ${message} ${JSON.stringify(fields ?? {})}`);
    };
    return { debug: line('debug'), info: line('info'), warn: line('warn'), error: line('error') };
  }

  /** Tor that is always up. */
  #onionHost(): OnionHost {
    const listeners = new Set<(state: TorState) => void>();
    let published = false;
    const state = (): TorState => ({ phase: 'ready', percent: 100, words: 'loopback', version: 'none', published });
    const say = (isUp: boolean) => {
      published = isUp;
      for (const listener of listeners) listener(state());
    };
    return {
      start: () => Promise.resolve(),
      state,
      onState: (listener) => {
        listeners.add(listener);
        return () => listeners.delete(listener);
      },
      publish: async (_key, id) => {
        this.#id = id;
        this.world.published.set(id, this);
        say(true);
      },
      unpublish: async () => {
        if (this.#id !== undefined && this.world.published.get(this.#id) === this)
          this.world.published.delete(this.#id);
        say(false);
      },
      close: () => Promise.resolve(),
    };
  }

  async #openNetwork(life: Life, clock: Clock, keyring: Keyring, api: PeerApi): Promise<Network> {
    const identity = tlsIdentity(keyring.tlsKey(), systemRandom.bytes(16));
    const quota = new CallQuota(clock);
    const spoken = new Proxy(api, { get: (honest, key) => Reflect.get(this.answers, key) ?? Reflect.get(honest, key) });
    const service = peerService({ api: spoken, callerOf, clock, logger: this.#logger(), quota });
    fs.rmSync(this.socketPath, { force: true });
    const server = await servePeers({ socketPath: this.socketPath, identity, service }, { api, clock });
    const openChannel = peerChannels({ route: this.world.routeOf(this), identity, clock, random: systemRandom });
    const client = new GrpcPeerClient({ openChannel, clock });
    const close = async () => {
      await client.close();
      await server.close();
    };
    this.#stops.unshift(close);
    return { client: this.#fenced(life, client), close };
  }

  /** Waiting tests look again after the call, when the daemon has taken in what came of it. */
  #telling(call: (...args: unknown[]) => unknown): (...args: unknown[]) => unknown {
    const tell = () => setImmediate(() => this.world.notify());
    return (...args) => {
      const result = call(...args);
      if (result instanceof Promise) result.then(tell, tell);
      return result;
    };
  }

  /** The same object for the daemon: hooks come first, and after a kill no call ever returns. */
  #fenced<Port extends object>(life: Life, port: Port): Port {
    const methods = new Map<PropertyKey, unknown>();
    const wrap = (key: PropertyKey, method: (...args: unknown[]) => unknown) => {
      return (...args: unknown[]) => {
        if (life.isDead) return new Promise(() => undefined);
        const hook = this.hooks.get(String(key));
        const after = this.afterHooks.get(String(key));
        const change = this.changes.get(String(key));
        if (change !== undefined) return change(method.apply(port, args) as never, args);
        if (hook === undefined && after === undefined) return method.apply(port, args);
        const call = (this.#calls.get(String(key)) ?? 0) + 1;
        this.#calls.set(String(key), call);
        return (async () => {
          await hook?.(call, args);
          if (life.isDead) return new Promise(() => undefined);
          const result = await method.apply(port, args);
          after?.();
          return result;
        })();
      };
    };
    return new Proxy(port, {
      get: (target, key) => {
        const value: unknown = Reflect.get(target, key, target);
        if (typeof value !== 'function') return value;
        if (!methods.has(key)) {
          const wrapped = wrap(key, value as (...args: unknown[]) => unknown);
          methods.set(key, SILENT_CHANGES.has(key) ? this.#telling(wrapped) : wrapped);
        }
        return methods.get(key);
      },
    });
  }
}
