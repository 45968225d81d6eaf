// Looks at every event and every write of a simulated world, and stops it at the first broken promise.
// Invariants: what a peer is told is held is durable, every cell of it; it leaves only after its hold, or with a contract that
// is over, and is never replaced by less; `held` is said only of a copy that is there, `wrong` only of one that is not;
// PROTECTED rests on copies that proved themselves; what was acknowledged to a user survives every crash; contracts keep
// the law of contract-law.ts.

import type { OnionId } from '../../src/core/ids.ts';
import type { CatalogRecord, ContractRecord, HeldRecord, RecordId } from '../../src/core/records.ts';
import { compareRevisions } from '../../src/core/content/revision-order.ts';
import { decodeTerms } from '../../src/core/contract/terms.ts';
import type { DaemonEvent } from '../../src/daemon/local-api.ts';
import type { PeerApi } from '../../src/daemon/peer-api.ts';
import type { Offer } from '../../src/ports/peer-client.ts';
import { brokenLaw, countedOf, CountedTime } from './contract-law.ts';
import { contractOf, durableCells, heldCells, ownSequence } from './truth.ts';
import type { SimNode } from './sim-node.ts';
import type { SimWorld } from './sim-world.ts';

const DAY_SECONDS = 86_400;
/** The first check of a revision samples 64 blocks beside what is new: they miss a loss of so much once in 10^12. */
const UNSEEN_PERMILLE = 350;

export class Oracle {
  readonly #world: SimWorld;
  /** Peers whose wrong answers and missing bytes surprise nobody. */
  readonly liars = new Set<SimNode>();
  readonly #byId = new Map<OnionId, SimNode>();
  readonly #twins = new Set<OnionId>();
  /** "storer owner content" that an owner was told is held. */
  readonly #told = new Set<string>();
  /** "storer owner content" -> virtual time since when it is superseded, and how long it was promised to stay then. */
  readonly #superseded = new Map<string, { readonly atMs: number; readonly holdMs: number }>();
  /** "storer owner" -> holds of terms that were replaced, and when. */
  readonly #oldHolds = new Map<string, { readonly atMs: number; readonly holdMs: number }[]>();
  /** Content -> its place in the line of its owner. */
  readonly #places = new Map<string, { readonly generation: number; readonly sequence: number }>();
  readonly #time = new CountedTime();
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

  /** The disk is gone or an older image came back: the node itself need not know any more what it had, or held. */
  forgive(node: SimNode): void {
    this.#promised.delete(node);
    if (node.onionId === undefined) return;
    const roles = new Map(heldOf(node).map((value) => [nameOf(node, value), value.role]));
    const isHere = (key: string): boolean => key.startsWith(`${node.onionId} `);
    for (const key of [...this.#told].filter(isHere)) {
      if ((roles.get(key) ?? 'pulling') === 'pulling') this.#told.delete(key);
    }
    for (const key of [...this.#superseded.keys()].filter(isHere)) {
      if (roles.get(key) !== 'kept') this.#superseded.delete(key);
    }
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
    if (name === 'revision-committed') {
      const row = node.session.newest?.row;
      if (row !== undefined) this.#places.set(row.contentId.toString('hex'), row);
    }
    const peer = attributes['peer'] as OnionId | undefined;
    if (name === 'check-judged' && peer !== undefined) this.#judged(node, peer, attributes['outcome'] ?? '');
  }

  #unlocked(node: SimNode): void {
    this.#named(node);
    this.#time.started(node);
    const promised = this.#promised.get(node) ?? 0;
    if (ownSequence(node.disk) < promised) this.#fail(node, `has lost revision ${promised}, which it acknowledged`);
  }

  /** Which of two machines under one id is meant nobody can say. */
  #named(node: SimNode): void {
    const other = this.#byId.get(node.id);
    if (other !== undefined && other !== node && other.isUp) this.#twins.add(node.id);
    if (this.#twins.has(node.id)) this.#byId.delete(node.id);
    else this.#byId.set(node.id, node);
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
        if (held.length > 0) this.#world.watch(() => this.#tell(this.#byId.get(caller), node.id, held));
        const report = await api.getContentRevision(caller, held);
        const id = report.requesterContent?.contentId;
        if (id !== undefined) this.#world.watch(() => this.#tell(node, caller, id));
        return report;
      },
      setContentRevision: async (caller, offer) => {
        const latest = contractOf(node, caller)?.theirLatestKnown;
        const answer = await api.setContentRevision(caller, offer);
        if (latest !== undefined && answer.outcome === 'ACCEPTED_PULLING') {
          this.#world.watch(() => this.#accepted(node, latest, offer));
        }
        return answer;
      },
    };
  }

  /** An owner is told that a storer holds a revision: from now on every cell of it survives a power cut. */
  #tell(storer: SimNode | undefined, owner: OnionId, contentId: Buffer): void {
    if (storer === undefined) return;
    const key = `${storer.id} ${owner} ${contentId.toString('hex')}`;
    if (this.#told.has(key)) return;
    this.#told.add(key);
    const held = durableCells(storer.disk, owner, contentId);
    if (held !== undefined && held.durable < held.cells) {
      this.#fail(storer, `says that it holds a revision of which ${held.cells - held.durable} cells are not durable`);
    }
  }

  /** Nothing is taken whose owner did not know what it replaces. */
  #accepted(node: SimNode, latest: Buffer, { content, previousContentId }: Offer): void {
    if (previousContentId.equals(latest) || content?.contentId.equals(latest) === true) return;
    this.#fail(node, 'takes an offer that does not name what it replaces');
  }

  /** Before a node writes: which content of others does it let go? */
  #written(node: SimNode, puts: readonly CatalogRecord[], deletes: readonly RecordId[]): void {
    for (const record of puts) {
      const before = node.disk.catalog.records.get(record.id)?.record;
      if (record.kind === 'node') this.#mustHold(node, this.#time.broken(node, record.value.countedSeconds));
      if (record.kind === 'contract' && before?.kind === 'contract') {
        this.#mustHold(node, brokenLaw(before.value, record.value, countedOf(node)), 'whose contract ');
        this.#termsChanged(node, before.value, record.value);
      }
      if (record.kind === 'held') this.#held(node, record.value);
    }
    for (const id of deletes) {
      const record = node.disk.catalog.records.get(id)?.record;
      if (record?.kind === 'held' && record.value.list >= 0) this.#letGo(node, record.value);
    }
  }

  #termsChanged(node: SimNode, before: ContractRecord, after: ContractRecord): void {
    if (before.terms.equals(after.terms)) return;
    const key = `${node.id} ${before.peer}`;
    const replaced = { atMs: this.#world.time.nowMs, holdMs: holdMsOf(before) };
    this.#oldHolds.set(key, [...(this.#oldHolds.get(key) ?? []), replaced]);
  }

  /** A revision becomes current, or is superseded. */
  #held(node: SimNode, value: HeldRecord): void {
    const key = nameOf(node, value);
    if (value.role === 'kept' && !this.#superseded.has(key)) {
      this.#superseded.set(key, { atMs: this.#world.time.nowMs, holdMs: this.#promisedHoldMs(node, value.owner) });
    }
    const current = currentOf(node, value.owner);
    if (value.role !== 'current' || current === undefined || this.liars.has(node)) return;
    const [old, fresh] = [current, value].map(({ contentId }) => this.#places.get(contentId.toString('hex')));
    if (old === undefined || fresh === undefined) return;
    if (compareRevisions(fresh, old) < 0) this.#fail(node, 'replaces a revision by an older one');
  }

  /** A shorter hold counts only when the longer one has passed since it was signed. */
  #promisedHoldMs(node: SimNode, owner: OnionId): number {
    const contract = contractOf(node, owner);
    const nowMs = this.#world.time.nowMs;
    const old = (this.#oldHolds.get(`${node.id} ${owner}`) ?? []).filter(({ atMs, holdMs }) => nowMs < atMs + holdMs);
    return Math.max(contract === undefined ? 0 : holdMsOf(contract), ...old.map(({ holdMs }) => holdMs));
  }

  #mustHold(node: SimNode, broken: string | undefined, about = ''): void {
    if (broken !== undefined) this.#fail(node, `${about}${broken}`);
  }

  #letGo(node: SimNode, held: HeldRecord): void {
    const key = nameOf(node, held);
    const superseded = this.#superseded.get(key);
    this.#superseded.delete(key);
    if (!this.#told.delete(key) || this.liars.has(node)) return;
    const contract = contractOf(node, held.owner);
    if (contract === undefined) return this.#fail(node, 'drops content without any contract');
    if (superseded === undefined) {
      if (contract.state !== 'RELEASED')
        this.#fail(node, `drops the current content of a contract in ${contract.state}`);
      return;
    }
    const { atMs, holdMs } = superseded;
    const keptMs = this.#world.time.nowMs - atMs;
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

function holdMsOf({ terms }: ContractRecord): number {
  return decodeTerms(terms).holdSeconds * 1000;
}

function heldOf(node: SimNode): HeldRecord[] {
  return [...node.disk.catalog.records.values()].flatMap(({ record }) =>
    record.kind === 'held' ? [record.value] : [],
  );
}

function currentOf(node: SimNode, owner: OnionId): HeldRecord | undefined {
  for (const { record } of node.disk.catalog.records.values()) {
    if (record.kind === 'held' && record.value.owner === owner && record.value.role === 'current') return record.value;
  }
  return undefined;
}
