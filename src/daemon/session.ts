// The unlocked node: keys, records and the newest revision in memory. Made by unlock, gone at lock.

import type { Metadata } from '../core/content/metadata.ts';
import type { Keyring } from '../core/crypto/keyring.ts';
import type { ContractState } from '../core/contract/state.ts';
import type { Verdict } from '../core/contract/verdict.ts';
import { invariant } from '../core/errors.ts';
import type { OnionId } from '../core/ids.ts';
import { PeerRanks } from '../core/policy/peer-sample.ts';
import type { NodeRecord, SettingsRecord } from '../core/records.ts';
import type { RevisionRow } from '../ports/catalog.ts';
import type { CellStore } from '../ports/cell-store.ts';
import type { PeerClient } from '../ports/peer-client.ts';
import type { Deps, Network } from './deps.ts';
import type { EventBus } from './event-bus.ts';
import type { Jobs } from './jobs.ts';
import type { VerifiedView } from './local-api.ts';
import { ChallengeBuckets } from './answer-challenge.ts';
import { OfferCounts } from './offer-counts.ts';
import { FairQueue } from './fair-queue.ts';
import { HeldDamage } from './held-damage.ts';
import { OwnBlobs } from './own-blobs.ts';
import { OwnDamage } from './own-damage.ts';
import { Mutex } from './mutex.ts';
import type { Task, TaskName } from './plan.ts';
import { Reach } from './reach.ts';
import type { Registry } from './registry.ts';
import { Scheduler } from './scheduler.ts';
import { Search } from './search.ts';
import { TickClock } from './tick-clock.ts';
import { Transfers } from './transfers.ts';
import { Recovery } from './recovery.ts';
import { Uploads } from './uploads.ts';
import { Weakest } from './weakest-files.ts';
import { ProgressMarks } from './upload-progress.ts';

export type Tasks = { readonly [name in TaskName]: Task };

/** One session to a peer. What a call of an earlier one does late is written to that one's record, and to no other. */
export type Contact = { isMet: boolean };

export type Newest = { readonly row: RevisionRow; readonly metadata: Metadata };

export class Session {
  readonly deps: Deps;
  readonly keyring: Keyring;
  readonly registry: Registry;
  readonly bus: EventBus;
  readonly jobs: Jobs;
  readonly scheduler: Scheduler;
  readonly transfers = new Transfers();
  /** Held by whatever changes our own content. */
  readonly contentLock = new Mutex();
  /** Held while forks are merged. */
  readonly forkLock = new Mutex();
  /** Held while a proposal is judged or made: promises are counted, then kept. */
  readonly proposalLock = new Mutex();
  /** Held while an offer of a peer is judged and its answer made durable. */
  readonly offerLock = new Mutex();
  readonly reach: Reach;
  /** A new one begins each time the node starts to recover. */
  recovery = new Recovery();
  readonly uploads = new Uploads();
  /** Whose cell is read next. */
  readonly fairQueue = new FairQueue();
  readonly ownBlobs = new OwnBlobs();
  readonly ownDamage = new OwnDamage();
  readonly weakest = new Weakest();
  /** As the last event of it said. */
  lastVerdict: Verdict | undefined;
  readonly heldDamage = new HeldDamage();
  /** The reading of every cell that runs now. */
  verification: Promise<VerifiedView> | undefined;
  readonly offerCounts = new OfferCounts();
  /** Hour of counted time in which the history of owners was thinned last. */
  thinnedHour = -1;
  readonly peerRanks = new PeerRanks();
  readonly progressMarks = new ProgressMarks();
  readonly search = new Search();
  /** The state that a peer last reported of its contract with us. */
  readonly peerStates = new Map<OnionId, ContractState>();
  readonly challengeBuckets = new ChallengeBuckets();
  /** 16 random bytes per start: a node that meets another instance under its own id has a twin. */
  readonly instance: Buffer;
  /** Held by whatever appends to the cells of other people. */
  readonly cellsLock = new Mutex();
  /** Cells of other people. */
  readonly cells: CellStore;
  newest: Newest | undefined;
  /** How often something changed that a revision must hold: a commit knows by it what it did not see. */
  dirtyMarks = 0;
  /** Our own onion answered the last self-dial. */
  selfReached = false;
  /** Another node runs under the same secret: nothing is published. */
  twinFound = false;
  readonly ticks: TickClock;
  readonly tasks: Tasks;
  /** Of each peer with a session of ours: what was done in this one session. */
  readonly contacts = new Map<OnionId, Contact>();
  /** Monotonic time of the last answer about both contents. */
  readonly metMs = new Map<OnionId, number>();
  /** Monotonic time of the last exchange of addresses. */
  readonly exchangedMs = new Map<OnionId, number>();
  /** Peers that said at the last contact that they rebuild themselves. */
  readonly recoveringPeers = new Set<OnionId>();
  /** Peers to which an id that does not open was named as previous. */
  readonly foreignNamed = new Set<OnionId>();
  /** An authentic id of ours in a later format was met: this version must not overwrite it. */
  laterFormat = false;
  /** Making the last copy of the catalog found it damaged. */
  catalogDamaged = false;
  /** Ids that superseded revisions are judged by when nothing changes our content. */
  readonly superseded: Buffer[] = [];
  /** Monotonic time of the last eviction. */
  evictedMs = Number.NEGATIVE_INFINITY;
  /** Owners whose new revision is held here, and who were not told yet. */
  readonly untold = new Set<OnionId>();
  /** Peers of which a check was judged since this start: what `proved` says of others is as old as this disk may be. */
  readonly judged = new Set<OnionId>();
  /** Checks in a row that were late or unreachable. */
  readonly checkFailures = new Map<OnionId, number>();
  /** Failed tries to pull from an owner since it last gave something, and how many of them were its fault. */
  readonly pullFailures = new Map<OnionId, { readonly tries: number; readonly faults: number }>();
  readonly #checkFractions = new Map<OnionId, { readonly lastCheckMs: number; readonly fraction: number }>();
  /** Callers that proved to hold content of ours while this node knows no peers; strangers no more. */
  readonly callers = new Set<OnionId>();
  readonly #stops: (() => void)[] = [];
  #network: Network | undefined;

  constructor(
    deps: Deps,
    keyring: Keyring,
    registry: Registry,
    cells: CellStore,
    bus: EventBus,
    jobs: Jobs,
    tasks: Tasks,
  ) {
    this.tasks = tasks;
    this.ticks = new TickClock(deps.clock.monotonicMs(), deps.clock.nowMs());
    this.deps = deps;
    this.keyring = keyring;
    this.registry = registry;
    this.cells = cells;
    this.bus = bus;
    this.jobs = jobs;
    this.scheduler = new Scheduler(deps.clock, deps.log);
    this.reach = new Reach(deps.clock);
    this.instance = deps.random.bytes(16);
  }

  get self(): OnionId {
    return this.keyring.onionId;
  }

  get node(): NodeRecord {
    invariant(this.registry.node !== undefined, 'an unlocked node has a node record');
    return this.registry.node;
  }

  get settings(): SettingsRecord {
    invariant(this.registry.settings !== undefined, 'an unlocked node has settings');
    return this.registry.settings;
  }

  get client(): PeerClient {
    invariant(this.#network !== undefined, 'an unlocked node has a network');
    return this.#network.client;
  }

  /** The random moment of the next check: drawn once per check, so that the storer cannot foresee it. */
  checkFraction(peer: OnionId, lastCheckMs: number): number {
    const drawn = this.#checkFractions.get(peer);
    if (drawn?.lastCheckMs === lastCheckMs) return drawn.fraction;
    const fraction = this.deps.random.fraction();
    this.#checkFractions.set(peer, { lastCheckMs, fraction });
    return fraction;
  }

  attach(network: Network): void {
    this.#network = network;
  }

  /** Runs at close, before anything else. */
  onClose(stop: () => void): void {
    this.#stops.push(stop);
  }

  async close(): Promise<void> {
    for (const stop of this.#stops) stop();
    await this.scheduler.stop();
    await this.#network?.close();
    await this.cells.close();
    this.keyring.wipe();
  }
}
