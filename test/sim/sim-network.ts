// Tor between simulated nodes: who is published under which onion, which sessions are up, how long everything takes, what
// is cut. Messages are the plain data of the ports; the rules of the wire (who may call what, how often) are those of src.

import type { OnionId } from '../../src/core/ids.ts';
import { DEADLINES_MS } from '../../src/core/policy/periods.ts';
import type { PeerApi } from '../../src/daemon/peer-api.ts';
import type { CallQuota } from '../../src/rpc/peer/call-quota.ts';
import type { Life } from './life.ts';
import type { SeededRandom } from './seeded-random.ts';

/** A process that can be reached under an onion id. */
export type Endpoint = {
  readonly onionId: OnionId;
  readonly node: number;
  readonly life: Life;
  readonly api: PeerApi;
  readonly quota: CallQuota;
};

export type NetworkModel = {
  readonly connectMs: readonly [number, number];
  readonly latencyMs: readonly [number, number];
  /** How soon a session notices that the other side is gone. */
  readonly noticeMs: readonly [number, number];
  readonly bytesPerSecond: readonly [number, number];
  /** Part of the messages that never arrive. */
  readonly loss: number;
};

export const TOR_MODEL: NetworkModel = {
  connectMs: [2_000, 15_000],
  latencyMs: [200, 900],
  noticeMs: [1_000, DEADLINES_MS.keepalive + DEADLINES_MS.keepaliveTimeout],
  bytesPerSecond: [100_000, 600_000],
  loss: 0.0005,
};

/** A session of one process to another. */
export class Link {
  readonly from: Endpoint;
  readonly to: Endpoint;
  readonly bytesPerSecond: number;
  /** Messages pass. The two sides may believe so for a while longer. */
  isUp = true;
  /** The dialling side knows that it is over. */
  isNoticed = false;
  readonly #told = new Set<() => void>();
  readonly #served = new Set<() => void>();

  constructor(from: Endpoint, to: Endpoint, bytesPerSecond: number) {
    this.from = from;
    this.to = to;
    this.bytesPerSecond = bytesPerSecond;
  }

  /** Runs `told` when the dialling side notices the end. */
  onNotice(told: () => void): () => void {
    this.#told.add(told);
    return () => this.#told.delete(told);
  }

  /** Runs `told` when the answering side notices the end: what it serves to a caller that is gone is over. */
  onServingEnd(told: () => void): () => void {
    this.#served.add(told);
    return () => this.#served.delete(told);
  }

  endServing(): void {
    for (const told of [...this.#served]) told();
    this.#served.clear();
  }

  notice(): void {
    if (this.isNoticed) return;
    this.isNoticed = true;
    for (const told of [...this.#told]) told();
    this.#told.clear();
  }
}

export class SimNetwork {
  readonly random: SeededRandom;
  readonly model: NetworkModel;
  /** True when nothing passes between two nodes. */
  isCut: (from: number, to: number) => boolean = () => false;
  messages = 0;
  bytes = 0;
  readonly #published = new Map<OnionId, Endpoint>();
  readonly #links = new Map<number, Set<Link>>();

  constructor(random: SeededRandom, model: NetworkModel) {
    this.random = random;
    this.model = model;
  }

  publish(endpoint: Endpoint): void {
    this.#published.set(endpoint.onionId, endpoint);
  }

  unpublish(endpoint: Endpoint): void {
    if (this.#published.get(endpoint.onionId) === endpoint) this.#published.delete(endpoint.onionId);
  }

  /** Who answers under this onion now; undefined when nobody can be reached. */
  find(from: Endpoint, onionId: OnionId): Endpoint | undefined {
    const to = this.#published.get(onionId);
    if (to === undefined || !isAwake(to) || this.isCut(from.node, to.node)) return undefined;
    return to;
  }

  open(from: Endpoint, to: Endpoint): Link {
    const link = new Link(from, to, this.draw(this.model.bytesPerSecond));
    this.#linksOf(from.node).add(link);
    this.#linksOf(to.node).add(link);
    to.api.session(from.onionId, true, '');
    return link;
  }

  /** Ends a session. `by` knows at once; the other side notices in its own time. */
  close(link: Link, by?: Endpoint): void {
    if (!link.isUp) return;
    link.isUp = false;
    this.#linksOf(link.from.node).delete(link);
    this.#linksOf(link.to.node).delete(link);
    const { from, to } = link;
    to.life.later(to === by ? 0 : this.draw(this.model.noticeMs), () => {
      link.endServing();
      to.api.session(from.onionId, false, '');
    });
    if (from === by) link.notice();
    else from.life.later(this.draw(this.model.noticeMs), () => link.notice());
  }

  /** Ends the sessions of a node, all or those that `isGone` names. */
  cut(node: number, isGone: (link: Link) => boolean = () => true): void {
    for (const link of [...this.#linksOf(node)]) if (isGone(link)) this.close(link);
  }

  /** Brings a message to a process; it gets lost with the session, with the machine, or by chance. */
  deliver(link: Link, to: Endpoint, message: () => void): void {
    this.messages += 1;
    if (this.model.loss > 0 && this.random.chance(this.model.loss)) return;
    to.life.later(this.draw(this.model.latencyMs), () => {
      if (link.isUp) message();
    });
  }

  draw([low, high]: readonly [number, number]): number {
    return this.random.between(low, high);
  }

  #linksOf(node: number): Set<Link> {
    const links = this.#links.get(node) ?? new Set<Link>();
    this.#links.set(node, links);
    return links;
  }
}

function isAwake({ life }: Endpoint): boolean {
  return !life.isDead && life.machine.asleepSinceMs === undefined;
}
