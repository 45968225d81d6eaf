// A world of simulated nodes that one seed decides: its time, its network, its nodes, and the hash of everything that
// happened. The same seed gives the same hash, whatever the machine.

import { createHash } from 'node:crypto';
import type { CatalogRecord, RecordId } from '../../src/core/records.ts';
import type { DaemonEvent } from '../../src/daemon/local-api.ts';
import type { PeerApi } from '../../src/daemon/peer-api.ts';
import { CellBank } from './cell-bank.ts';
import { SeededRandom } from './seeded-random.ts';
import { SimNetwork, TOR_MODEL } from './sim-network.ts';
import type { NetworkModel } from './sim-network.ts';
import { SimNode } from './sim-node.ts';
import type { Surroundings } from './sim-node.ts';
import { VirtualTime } from './virtual-time.ts';

export const SECOND_MS = 1000;
export const MINUTE_MS = 60 * SECOND_MS;
export const HOUR_MS = 60 * MINUTE_MS;
export const DAY_MS = 24 * HOUR_MS;

/** Lines that are hashed at once. */
const HASHED_LINES = 512;

/** Looks at what the nodes say; throws when something must not be. */
export type Watcher = (node: SimNode, event: DaemonEvent) => void;

export class SimWorld implements Surroundings {
  readonly seed: string;
  readonly time = new VirtualTime();
  readonly bank = new CellBank();
  readonly random: SeededRandom;
  readonly network: SimNetwork;
  readonly nodes: SimNode[] = [];
  readonly watchers: Watcher[] = [];
  /** Stands between a daemon and its callers. */
  wrapApi: (node: SimNode, api: PeerApi) => PeerApi = (_node, api) => api;
  /** Told of every write of records before it is done. */
  onRecords: (node: SimNode, puts: readonly CatalogRecord[], deletes: readonly RecordId[]) => void = () => undefined;
  /** Each line of the log, when somebody wants to read it. */
  trace: ((line: string) => void) | undefined;
  events = 0;
  readonly #hash = createHash('sha256');
  #lines: string[] = [];
  #failure: unknown;

  constructor(seed: string, model: NetworkModel = TOR_MODEL) {
    this.seed = seed;
    this.random = new SeededRandom(`${seed} world`);
    this.network = new SimNetwork(new SeededRandom(`${seed} network`), model);
  }

  /** A node that is switched off and has no identity. */
  addNode(): SimNode {
    const node = new SimNode(this, this.nodes.length);
    this.nodes.push(node);
    return node;
  }

  /** A node with a fresh identity of generated words. */
  async bornNode(): Promise<SimNode> {
    const node = this.addNode();
    await node.start();
    await node.init('generated');
    return node;
  }

  heard(node: SimNode, event: DaemonEvent): void {
    if (event.name === 'subscribed') return;
    this.events += 1;
    this.#note(node, event.name, event.attributes);
    this.watch(() => {
      for (const watcher of this.watchers) watcher(node, event);
    });
  }

  logged(node: SimNode, level: string, message: string, fields: object): void {
    if (level === 'warn' || level === 'error') this.#note(node, message, fields);
    else this.trace?.(`${this.#stamp(node)} ${level} ${message} ${JSON.stringify(fields)}`);
  }

  writes(node: SimNode, puts: readonly CatalogRecord[], deletes: readonly RecordId[]): void {
    this.watch(() => this.onRecords(node, puts, deletes));
  }

  apiOf(node: SimNode, api: PeerApi): PeerApi {
    return this.wrapApi(node, api);
  }

  /** Lets virtual time pass. Rejects with the first thing that a watcher found wrong. */
  async pass(ms: number, isDone: () => boolean = () => false): Promise<void> {
    const endMs = this.time.nowMs + ms;
    await this.time.run(endMs, () => this.#failure !== undefined || isDone());
    if (this.#failure !== undefined) throw this.#failure;
  }

  /** Lets time pass until `isTrue`; rejects when it does not become true within `ms`. */
  async until(what: string, isTrue: () => boolean, ms = 10 * DAY_MS): Promise<void> {
    await this.pass(ms, isTrue);
    if (!isTrue()) throw new Error(`seed ${this.seed}: not within ${ms / HOUR_MS} simulated hours: ${what}`);
  }

  /** Lets time pass until this is done. */
  async does<T>(work: Promise<T>, ms = DAY_MS): Promise<T> {
    let isSettled = false;
    const settle = (): void => {
      isSettled = true;
    };
    work.then(settle, settle);
    await this.until('what a user asked for ends', () => isSettled, ms);
    return work;
  }

  /** Digest of all events so far. */
  eventHash(): string {
    this.#flush();
    return this.#hash.copy().digest('hex');
  }

  /** What a watcher throws is no business of the daemon: it ends the run. */
  watch(look: () => void): void {
    try {
      look();
    } catch (error) {
      this.#failure ??= error;
    }
  }

  #note(node: SimNode, name: string, fields: object): void {
    const line = `${this.#stamp(node)} ${name} ${JSON.stringify(fields)}`;
    this.trace?.(line);
    this.#lines.push(line);
    if (this.#lines.length >= HASHED_LINES) this.#flush();
  }

  #stamp({ name }: SimNode): string {
    return `${this.time.nowMs} ${name}`;
  }

  #flush(): void {
    this.#hash.update(this.#lines.join('\n'));
    this.#lines = [];
  }
}
