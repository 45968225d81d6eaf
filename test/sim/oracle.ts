// Looks at every event and every write of a simulated world, and stops it at the first broken promise.
// Invariants: what a peer was told is held leaves only after its hold, or with a contract that is over; `held` is said only
// of a copy that is there, `wrong` only of one that is not; PROTECTED rests on copies that proved themselves; what was
// acknowledged to a user survives every crash.

import type { OnionId } from '../../src/core/ids.ts';
import type { CatalogRecord, HeldRecord, RecordId } from '../../src/core/records.ts';
import { decodeTerms } from '../../src/core/contract/terms.ts';
import type { DaemonEvent } from '../../src/daemon/local-api.ts';
import type { PeerApi } from '../../src/daemon/peer-api.ts';
import { heldCells, ownSequence } from './truth.ts';
import type { SimNode } from './sim-node.ts';
import type { SimWorld } from './sim-world.ts';

const DAY_SECONDS = 86_400;
/** A check of some hundred blocks does not see every lost cell; one that misses so many is no check. */
const UNSEEN_PERMILLE = 20;

export class Oracle {
  readonly #world: SimWorld;
  /** Peers whose wrong answers and missing bytes surprise nobody. */
  readonly liars = new Set<SimNode>();
  readonly #byId = new Map<OnionId, SimNode>();
  /** "storer owner content" that an owner was told is held. */
  readonly #told = new Set<string>();
  /** "storer owner content" -> virtual time since when it is superseded. */
  readonly #supersededMs = new Map<string, number>();
  /** "owner peer" -> content that the peer proved last. */
  readonly #proved = new Map<string, string>();
  /** Sequence that the user of a node was told is set. */
  readonly #promised = new Map<SimNode, number>();
  checks = { held: 0, wrong: 0, late: 0, unreachable: 0 };

  constructor(world: SimWorld) {
    this.#world = world;
    world.watchers.push((node, event) => this.#heard(node, event));
    world.wrapApi = (node, api) => this.#listen(node, api);
    world.onRecords = (node, puts, deletes) => this.#written(node, puts, deletes);
  }

  nodeOf(id: OnionId): SimNode | undefined {
    return this.#byId.get(id);
  }

  /** The user was told that this revision is set. */
  promise(node: SimNode, sequence: number): void {
    this.#promised.set(node, Math.max(sequence, this.#promised.get(node) ?? 0));
  }

  /** The disk is gone or an older image came back: the node itself need not know any more what it had. */
  forgive(node: SimNode): void {
    this.#promised.delete(node);
  }

  /** The verdict of a node that is up must rest on copies that proved themselves. */
  async judgeVerdict(node: SimNode): Promise<string> {
    const status = await node.api.status();
    if (status.verdict !== 'PROTECTED') return status.verdict ?? 'UNKNOWN';
    const newest = status.revision?.contentId.toString('hex') ?? '';
    const proved = status.replicas.filter(({ peer }) => this.#proved.get(`${node.id} ${peer}`) === newest);
    if (proved.length < status.minReplicas) {
      this.#fail(node, `says PROTECTED with ${proved.length} of ${status.minReplicas} copies proved`);
    }
    return 'PROTECTED';
  }

  #heard(node: SimNode, { name, attributes }: DaemonEvent): void {
    if (name === 'unlocked') this.#unlocked(node);
    const peer = attributes['peer'] as OnionId | undefined;
    if (name === 'check-judged' && peer !== undefined) this.#judged(node, peer, attributes['outcome'] ?? '');
  }

  #unlocked(node: SimNode): void {
    if (node.onionId !== undefined) this.#byId.set(node.onionId, node);
    const promised = this.#promised.get(node) ?? 0;
    if (ownSequence(node.disk) < promised) this.#fail(node, `has lost revision ${promised}, which it acknowledged`);
  }

  #judged(node: SimNode, peer: OnionId, outcome: string): void {
    if (outcome in this.checks) this.checks[outcome as keyof typeof this.checks] += 1;
    const storer = this.#byId.get(peer);
    const replica = node.session.registry.contract(peer)?.replica;
    const contentId = replica?.lastChecked;
    if (storer === undefined || contentId === undefined) return;
    const held = heldCells(storer.disk, node.id, contentId);
    if (outcome === 'held') {
      this.#proved.set(`${node.id} ${peer}`, contentId.toString('hex'));
      const missing = held === undefined ? 1000 : (1000 * (held.cells - held.whole)) / held.cells;
      if (missing > UNSEEN_PERMILLE)
        this.#fail(node, `was satisfied by ${storer.name}, which lacks ${missing} per mille`);
    }
    if (outcome === 'wrong') {
      this.#proved.delete(`${node.id} ${peer}`);
      const isWhole = held !== undefined && held.whole === held.cells;
      if (isWhole && !this.liars.has(storer)) this.#fail(node, `accuses ${storer.name}, whose copy is whole`);
    }
  }

  /** Hears what is told about held content, in both directions. */
  #listen(node: SimNode, api: PeerApi): PeerApi {
    return {
      ...api,
      getContentRevision: async (caller, held) => {
        if (held.length > 0) this.#told.add(`${caller} ${node.id} ${held.toString('hex')}`);
        const report = await api.getContentRevision(caller, held);
        const id = report.requesterContent?.contentId;
        if (id !== undefined) this.#told.add(`${node.id} ${caller} ${id.toString('hex')}`);
        return report;
      },
    };
  }

  /** Before a node writes: which content of others does it let go? */
  #written(node: SimNode, puts: readonly CatalogRecord[], deletes: readonly RecordId[]): void {
    for (const record of puts) {
      if (record.kind !== 'held' || record.value.role !== 'kept') continue;
      const key = nameOf(node, record.value);
      if (!this.#supersededMs.has(key)) this.#supersededMs.set(key, this.#world.time.nowMs);
    }
    for (const id of deletes) {
      const record = node.disk.catalog.records.get(id)?.record;
      if (record?.kind === 'held' && record.value.list >= 0) this.#letGo(node, record.value);
    }
  }

  #letGo(node: SimNode, held: HeldRecord): void {
    const key = nameOf(node, held);
    const sinceMs = this.#supersededMs.get(key);
    this.#supersededMs.delete(key);
    if (!this.#told.delete(key) || this.liars.has(node)) return;
    const contract = contractOf(node, held.owner);
    if (contract === undefined) return this.#fail(node, 'drops content without any contract');
    if (sinceMs === undefined) {
      if (contract.state !== 'RELEASED')
        this.#fail(node, `drops the current content of a contract in ${contract.state}`);
      return;
    }
    const holdMs = decodeTerms(contract.terms).holdSeconds * 1000;
    const keptMs = this.#world.time.nowMs - sinceMs;
    if (keptMs < holdMs && !isThinned(node, held))
      this.#fail(node, `drops superseded content after ${keptMs} of ${holdMs} ms`);
  }

  #fail(node: SimNode, what: string): never {
    throw new Error(
      `seed ${this.#world.seed}, ${(this.#world.time.nowMs / 86_400_000).toFixed(3)} d: ${node.name} ${what}`,
    );
  }
}

function nameOf(node: SimNode, { owner, contentId }: HeldRecord): string {
  return `${node.onionId} ${owner} ${contentId.toString('hex')}`;
}

/** Of revisions superseded within one day the one that was current longest stays for all of them. */
function isThinned(node: SimNode, held: HeldRecord): boolean {
  const span = ({ keptSeconds, currentSeconds }: HeldRecord): number => keptSeconds - currentSeconds;
  return [...node.disk.catalog.records.values()].some(({ record }) => {
    if (record.kind !== 'held' || record.value.role !== 'kept' || record.value.owner !== held.owner) return false;
    const isOther = !record.value.contentId.equals(held.contentId);
    const isNear = Math.abs(record.value.keptSeconds - held.keptSeconds) < DAY_SECONDS;
    return isOther && isNear && span(record.value) >= span(held);
  });
}

function contractOf(node: SimNode, peer: OnionId) {
  for (const { record } of node.disk.catalog.records.values()) {
    if (record.kind === 'contract' && record.value.peer === peer) return record.value;
  }
  return undefined;
}
