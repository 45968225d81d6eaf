// The sealed records in memory. Reads are free; each write is durable in the catalog before memory
// shows it, and writes happen one after the other, so that no update is lost.

import type { OnionId } from '../core/ids.ts';
import type {
  CatalogRecord,
  ContractRecord,
  HeldRecord,
  NodeRecord,
  PeerRecord,
  RecordId,
  SettingsRecord,
} from '../core/records.ts';
import type { Catalog } from '../ports/catalog.ts';
import type { Random } from '../ports/random.ts';
import { Mutex } from './mutex.ts';

type Stored<T> = { readonly id: RecordId; readonly value: T };

export class Registry {
  readonly #catalog: Catalog;
  readonly #random: Random;
  readonly #writes = new Mutex();
  readonly #peers = new Map<OnionId, Stored<PeerRecord>>();
  readonly #contracts = new Map<OnionId, Stored<ContractRecord>>();
  readonly #held = new Map<RecordId, Stored<HeldRecord>>();
  /** The same by owner, who never changes. */
  readonly #heldOf = new Map<OnionId, Map<RecordId, Stored<HeldRecord>>>();
  #settings: Stored<SettingsRecord> | undefined;
  #node: Stored<NodeRecord> | undefined;

  constructor(catalog: Catalog, random: Random) {
    this.#catalog = catalog;
    this.#random = random;
  }

  /** Reads all records; called once after the catalog was unlocked. */
  async load(): Promise<void> {
    for (const record of await this.#catalog.records()) this.#remember(record);
  }

  get settings(): SettingsRecord | undefined {
    return this.#settings?.value;
  }

  get node(): NodeRecord | undefined {
    return this.#node?.value;
  }

  peer(id: OnionId): PeerRecord | undefined {
    return this.#peers.get(id)?.value;
  }

  peers(): PeerRecord[] {
    return [...this.#peers.values()].map((stored) => stored.value);
  }

  contract(id: OnionId): ContractRecord | undefined {
    return this.#contracts.get(id)?.value;
  }

  contracts(): ContractRecord[] {
    return [...this.#contracts.values()].map((stored) => stored.value);
  }

  /** Contracts as they would be written after a change; those that the change gives back as they are left out. */
  contractRecords(change: (contract: ContractRecord) => ContractRecord): CatalogRecord[] {
    return [...this.#contracts.values()].flatMap(({ id, value }) => {
      const changed = change(value);
      return changed === value ? [] : [{ kind: 'contract', id, value: changed }];
    });
  }

  heldOf(owner: OnionId): Stored<HeldRecord>[] {
    return [...(this.#heldOf.get(owner)?.values() ?? [])];
  }

  held(): Stored<HeldRecord>[] {
    return [...this.#held.values()];
  }

  updatePeer(id: OnionId, change: (old: PeerRecord | undefined) => PeerRecord): Promise<PeerRecord> {
    return this.#update(() => ({
      kind: 'peer',
      id: this.#peers.get(id)?.id ?? this.#newId(),
      value: change(this.peer(id)),
    }));
  }

  /** What was learned of a peer: one that its user removed meanwhile stays removed. */
  noteOfPeer(id: OnionId, change: (old: PeerRecord) => PeerRecord): Promise<void> {
    return this.#writes.run(async () => {
      const stored = this.#peers.get(id);
      if (stored === undefined) return;
      const record = { kind: 'peer', id: stored.id, value: change(stored.value) } as const;
      await this.#catalog.putRecords([record]);
      this.#remember(record);
    });
  }

  /** Its contract, if there was one, stays as a tombstone. */
  deletePeer(id: OnionId): Promise<void> {
    return this.#delete(this.#peers, id);
  }

  deleteContract(id: OnionId): Promise<void> {
    return this.#delete(this.#contracts, id);
  }

  /** A change that gives back the same object writes nothing. */
  updateContract(id: OnionId, change: (old: ContractRecord | undefined) => ContractRecord): Promise<ContractRecord> {
    return this.#update(
      () => ({
        kind: 'contract',
        id: this.#contracts.get(id)?.id ?? this.#newId(),
        value: change(this.contract(id)),
      }),
      () => this.contract(id),
    );
  }

  updateSettings(change: (old: SettingsRecord | undefined) => SettingsRecord): Promise<SettingsRecord> {
    return this.#update(() => ({
      kind: 'settings',
      id: this.#settings?.id ?? this.#newId(),
      value: change(this.settings),
    }));
  }

  updateNode(change: (old: NodeRecord | undefined) => NodeRecord): Promise<NodeRecord> {
    return this.#update(() => ({ kind: 'node', id: this.#node?.id ?? this.#newId(), value: change(this.node) }));
  }

  /** The node record as it would be written by updateNode, for a transaction that does more (commitRevision). */
  nodeRecord(change: (old: NodeRecord) => NodeRecord): CatalogRecord | undefined {
    return this.#node === undefined ? undefined : { kind: 'node', id: this.#node.id, value: change(this.#node.value) };
  }

  /** Runs a larger catalog write among the others and then remembers its records. */
  transact(write: () => Promise<readonly CatalogRecord[]>): Promise<void> {
    return this.#writes.run(async () => {
      for (const record of await write()) this.#remember(record);
    });
  }

  /** Puts and deletes held records in one transaction. `compute` sees the newest state. */
  changeHeld(
    compute: () => {
      readonly puts: readonly { readonly id: RecordId | undefined; readonly value: HeldRecord }[];
      readonly deletes: readonly RecordId[];
    },
  ): Promise<void> {
    return this.#writes.run(async () => {
      const { puts, deletes } = compute();
      const records = puts.map(({ id, value }): CatalogRecord => ({ kind: 'held', id: id ?? this.#newId(), value }));
      await this.#catalog.putRecords(records, deletes);
      for (const id of deletes) this.#forgetHeld(id);
      for (const record of records) this.#remember(record);
    });
  }

  #update<R extends CatalogRecord>(make: () => R, old?: () => R['value'] | undefined): Promise<R['value']> {
    return this.#writes.run(async () => {
      const record = make();
      if (record.value === old?.()) return record.value;
      await this.#catalog.putRecords([record]);
      this.#remember(record);
      return record.value;
    });
  }

  #delete(from: Map<OnionId, Stored<unknown>>, id: OnionId): Promise<void> {
    return this.#writes.run(async () => {
      const stored = from.get(id);
      if (stored === undefined) return;
      await this.#catalog.putRecords([], [stored.id]);
      from.delete(id);
    });
  }

  #newId(): RecordId {
    return this.#random.bytes(16).toString('hex') as RecordId;
  }

  #rememberHeld(held: Stored<HeldRecord>): void {
    const { owner } = held.value;
    const ofOwner = this.#heldOf.get(owner) ?? new Map<RecordId, Stored<HeldRecord>>();
    this.#heldOf.set(owner, ofOwner.set(held.id, held));
    this.#held.set(held.id, held);
  }

  #forgetHeld(id: RecordId): void {
    const owner = this.#held.get(id)?.value.owner;
    const ofOwner = owner === undefined ? undefined : this.#heldOf.get(owner);
    if (owner === undefined || ofOwner === undefined) return;
    this.#held.delete(id);
    ofOwner.delete(id);
    if (ofOwner.size === 0) this.#heldOf.delete(owner);
  }

  #remember(record: CatalogRecord): void {
    if (record.kind === 'peer') this.#peers.set(record.value.onionId, { id: record.id, value: record.value });
    else if (record.kind === 'contract') this.#contracts.set(record.value.peer, { id: record.id, value: record.value });
    else if (record.kind === 'held') this.#rememberHeld({ id: record.id, value: record.value });
    else if (record.kind === 'settings') this.#settings = { id: record.id, value: record.value };
    else this.#node = { id: record.id, value: record.value };
  }
}
