// One simulated machine and the daemon of src on it: it is switched on and off, sleeps, crashes, loses its disk, gets an
// older image of it back. Only ports are simulated; whatever is under src/daemon and src/core runs as it is.

import type { Keyring } from '../../src/core/crypto/keyring.ts';
import type { OnionId } from '../../src/core/ids.ts';
import type { CatalogRecord, RecordId } from '../../src/core/records.ts';
import { dividedPeriods } from '../../src/core/policy/periods.ts';
import { Daemon } from '../../src/daemon/daemon.ts';
import type { Network } from '../../src/daemon/deps.ts';
import type { DaemonEvent, InitArgs, LocalApi } from '../../src/daemon/local-api.ts';
import { localApiOf } from '../../src/daemon/local-api-of.ts';
import type { PeerApi } from '../../src/daemon/peer-api.ts';
import type { Session } from '../../src/daemon/session.ts';
import { BbError } from '../../src/core/errors.ts';
import type { DataDir, Header } from '../../src/ports/data-dir.ts';
import type { Logger } from '../../src/ports/logger.ts';
import type { OnionHost, TorState } from '../../src/ports/onion-host.ts';
import { CallQuota } from '../../src/rpc/peer/call-quota.ts';
import { metadataCodec } from '../../src/storage/stored/metadata-codec.ts';
import type { CellBank } from './cell-bank.ts';
import type { SimFile } from './content.ts';
import type { Sampling } from './covered-cells.ts';
import { Life } from './life.ts';
import { MemoryCatalog } from './memory-catalog.ts';
import { MemoryCells } from './memory-cells.ts';
import { Machine } from './node-clock.ts';
import { SeededRandom } from './seeded-random.ts';
import { SimDisk } from './sim-disk.ts';
import type { Key } from './sim-disk.ts';
import type { Endpoint, SimNetwork } from './sim-network.ts';
import { SimPeerClient } from './sim-peer-client.ts';
import { SimWorkers } from './sim-workers.ts';
import type { VirtualTime } from './virtual-time.ts';

/** From switching on to Tor being ready, and from there to the address being live. */
const TOR_READY_MS = [3_000, 20_000] as const;
const TOR_PUBLISH_MS = [10_000, 90_000] as const;

export type Surroundings = {
  readonly seed: string;
  readonly time: VirtualTime;
  readonly network: SimNetwork;
  readonly bank: CellBank;
  heard(node: SimNode, event: DaemonEvent): void;
  logged(node: SimNode, level: string, message: string, fields: object): void;
  /** Records are about to be written. */
  writes(node: SimNode, puts: readonly CatalogRecord[], deletes: readonly RecordId[]): void;
  /** Stands between the daemon and its callers; a peer that lies is made here. */
  apiOf(node: SimNode, api: PeerApi): PeerApi;
};

export class SimNode {
  readonly index: number;
  readonly name: string;
  readonly random: SeededRandom;
  readonly machine: Machine;
  disk = new SimDisk();
  /** What the user has on this machine. */
  files: readonly SimFile[] = [];
  /** Its program lies about what its disk has lost. */
  hidesDamage = false;
  /** Leaves of cells that it has no more: whatever else its program does, it does as if they were there. */
  readonly thrownAway = new Set<Key>();
  /** How its checks are computed; the same at both sides of them. */
  sampling: Sampling = 'stand-in';
  words = '';
  onionId: OnionId | undefined;
  life: Life | undefined;
  daemon: Daemon | undefined;
  starts = 0;
  readonly #around: Surroundings;
  #endpoint: Endpoint | undefined;

  constructor(around: Surroundings, index: number) {
    this.#around = around;
    this.index = index;
    this.name = `n${index}`;
    this.random = new SeededRandom(`${around.seed} ${this.name}`);
    this.machine = new Machine(around.time);
  }

  get isUp(): boolean {
    return this.life !== undefined;
  }

  get isAwake(): boolean {
    return this.life !== undefined && this.machine.asleepSinceMs === undefined;
  }

  get api(): LocalApi {
    return localApiOf(this.#need());
  }

  get session(): Session {
    return this.#need().session;
  }

  get id(): OnionId {
    if (this.onionId === undefined) throw new Error(`${this.name} has no identity yet`);
    return this.onionId;
  }

  /** What peers call, under the eyes of the oracle. */
  get peerApi(): PeerApi {
    if (this.#endpoint === undefined) throw new Error(`${this.name} answers nobody`);
    return this.#endpoint.api;
  }

  /** Starts the process; locked, or not initialised. */
  async start(): Promise<void> {
    if (this.life !== undefined) throw new Error(`${this.name} runs already`);
    const life = new Life(this.machine);
    life.onCrash = () => this.kill();
    this.life = life;
    this.starts += 1;
    const { bank } = this.#around;
    const catalog = life.fence(
      'catalog',
      new MemoryCatalog(this.disk, (puts, deletes) => this.#around.writes(this, puts, deletes)),
    );
    const daemon = new Daemon({
      clock: life.clock,
      random: new SeededRandom(`${this.#around.seed} ${this.name} ${this.starts}`),
      log: this.#logger(life),
      catalog,
      dataDir: life.fence('dataDir', dataDirOf(this.disk)),
      workers: life.fence('workers', new SimWorkers(this.disk, bank, this)),
      metadata: metadataCodec,
      tor: this.#onionHost(life),
      periods: dividedPeriods(1),
      timeDivisor: 1,
      version: 'simulated',
      checkPassword: () => Promise.resolve(),
      openPeerCells: async () => {
        const cells = life.fence('cells', new MemoryCells(this.disk, bank));
        await cells.open(await catalog.marks('peers'));
        return cells;
      },
      openNetwork: (keyring, api) => this.#openNetwork(life, keyring, api),
    });
    this.daemon = daemon;
    void this.#listen(daemon, life);
    await daemon.start();
  }

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
    this.words = how === 'generated' ? made.words.join(' ') : words;
  }

  async unlock(): Promise<void> {
    await this.api.unlock(Buffer.from(this.words));
  }

  /** As kill -9 or a power cut. */
  kill(): void {
    const { life } = this;
    if (life === undefined) return;
    life.die();
    this.life = undefined;
    this.daemon = undefined;
    this.#leave();
    this.disk.cut(() => this.random.fraction());
    this.machine.resume();
  }

  async restart(): Promise<void> {
    this.kill();
    await this.start();
    await this.unlock();
  }

  /** The lid is closed: nothing runs, monotonic time stands still, sessions break. */
  suspend(): void {
    if (!this.isAwake) return;
    this.machine.suspend();
    this.#around.network.cut(this.index);
  }

  resume(): void {
    this.machine.resume();
  }

  /** The machine burns: nothing is left of it but what the user knows by heart. */
  loseDisk(): void {
    this.kill();
    this.disk = new SimDisk();
    this.files = [];
  }

  /** The process dies and an older image of the whole disk comes back. */
  restoreImage(image: SimDisk): void {
    this.kill();
    this.disk = image.image();
  }

  #need(): Daemon {
    if (this.daemon === undefined) throw new Error(`${this.name} is down`);
    return this.daemon;
  }

  async #listen(daemon: Daemon, life: Life): Promise<void> {
    for await (const event of daemon.bus.subscribe(false, new AbortController().signal)) {
      if (life.isDead) return;
      this.#around.heard(this, event);
    }
  }

  #logger(life: Life): Logger {
    const line = (level: string) => (message: string, fields?: object) => {
      if (!life.isDead) this.#around.logged(this, level, message, fields ?? {});
    };
    return { debug: line('debug'), info: line('info'), warn: line('warn'), error: line('error') };
  }

  #onionHost(life: Life): OnionHost {
    const listeners = new Set<(state: TorState) => void>();
    let isReady = false;
    let published = false;
    const state = (): TorState => ({
      phase: isReady ? 'ready' : 'bootstrapping',
      percent: isReady ? 100 : 50,
      words: '',
      version: undefined,
      published,
    });
    const say = (): void => {
      for (const listener of [...listeners]) listener(state());
    };
    const { network } = this.#around;
    life.later(network.draw(TOR_READY_MS), () => {
      isReady = true;
      say();
    });
    return {
      start: () => Promise.resolve(),
      state,
      onState: (listener) => {
        listeners.add(listener);
        return () => listeners.delete(listener);
      },
      publish: async () => {
        life.later(network.draw(TOR_PUBLISH_MS), () => {
          if (this.#endpoint?.life !== life) return;
          published = true;
          network.publish(this.#endpoint);
          say();
        });
      },
      unpublish: async () => {
        published = false;
        if (this.#endpoint !== undefined) network.unpublish(this.#endpoint);
      },
      close: () => Promise.resolve(),
    };
  }

  async #openNetwork(life: Life, keyring: Keyring, api: PeerApi): Promise<Network> {
    const { network } = this.#around;
    this.onionId = keyring.onionId;
    const endpoint = {
      onionId: keyring.onionId,
      node: this.index,
      life,
      api: this.#around.apiOf(this, api),
      quota: new CallQuota(life.clock),
    };
    this.#endpoint = endpoint;
    const client = new SimPeerClient(network, endpoint);
    return {
      client: life.fence('client', client),
      close: async () => {
        await client.close();
        this.#leave();
      },
    };
  }

  #leave(): void {
    if (this.#endpoint === undefined) return;
    this.#around.network.unpublish(this.#endpoint);
    this.#around.network.cut(this.index);
    this.#endpoint = undefined;
  }
}

function dataDirOf(disk: SimDisk): DataDir {
  const dir = {
    lock: () => Promise.resolve(),
    readHeader: async () => disk.header,
    writeHeader: async (header: Header) => {
      if (disk.header !== undefined) throw new BbError('ALREADY_INITIALISED', 'there is a header already');
      disk.header = header;
    },
    freeBytes: async () => Math.max(0, disk.totalBytes - disk.usedBytes),
    totalBytes: async () => disk.totalBytes,
    inspect: async () => ({ headers: [], openToOthers: [], hasBallast: true, newestMs: 0 }),
    tidy: () => Promise.resolve(),
    close: () => Promise.resolve(),
  };
  return dir;
}
