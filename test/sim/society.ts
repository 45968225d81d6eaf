// Many people over a long time: who lives, who leaves and is replaced, what was promised to whom and what of it came back.
// Figures are counted here and nowhere else.

import { CELL_BYTES } from '../../src/core/limits.ts';
import type { RevisionRow } from '../../src/ports/catalog.ts';
import { AVAILABILITY, CHURN, YEAR_DAYS } from './churn-model.ts';
import { fileOf } from './acts.ts';
import { encodeFiles } from './content.ts';
import type { SimFile } from './content.ts';
import { LIES, lyingApi } from './liars.ts';
import type { Lie } from './liars.ts';
import { Oracle } from './oracle.ts';
import { OwnStore } from './own-store.ts';
import { isEverydayFailure, keepingFriends, live, rest, save } from './person.ts';
import type { Person } from './person.ts';
import { SeededRandom } from './seeded-random.ts';
import type { SimNode } from './sim-node.ts';
import { DAY_MS, HOUR_MS, MINUTE_MS, SimWorld } from './sim-world.ts';
import { contentCells, contractOf } from './truth.ts';

export type SocietyPlan = {
  readonly seed: string;
  readonly nodes: number;
  readonly days: number;
  readonly minReplicas: number;
};

/** What a user was told is set. */
type Saved = { readonly atMs: number; readonly sequence: number; readonly files: readonly SimFile[] };

export type Loss = {
  readonly owner: string;
  readonly sequence: number;
  readonly bytes: number;
  readonly verdict: string;
};

/** Only what is older than this has to come back. */
const SETTLED_MS = 7 * DAY_MS;
/** A recovery that nobody answered for so long counts as a loss. */
const HOPE_MS = 30 * DAY_MS;

export class Society {
  readonly plan: SocietyPlan;
  readonly world: SimWorld;
  readonly oracle: Oracle;
  readonly people: Person[] = [];
  readonly losses: Loss[] = [];
  /** From the words being typed to the first answer of a holder, and to the restored content. */
  readonly foundHours: number[] = [];
  readonly recoveryHours: number[] = [];
  diskLosses = 0;
  recovered = 0;
  /** Recoveries that could give nothing back because nothing was old enough, or that ended with the person. */
  idleLosses = 0;
  repairedBytes = 0;
  /** Bytes times years that replicas took. */
  storedByteYears = 0;
  verdicts = new Map<string, number>();
  failures = new Map<string, number>();
  readonly #random: SeededRandom;
  readonly #byNode = new Map<SimNode, Person>();
  readonly #history = new Map<Person, Saved[]>();
  /** "owner peer" that once had a whole copy. */
  readonly #placed = new Map<Person, Set<string>>();
  readonly #repairs = new Map<Person, number>();
  /** Virtual time at which the words were typed, until a holder answers. */
  readonly #typedMs = new Map<Person, number>();
  readonly #lastVerdict = new Map<Person, string>();
  #failure: unknown;

  constructor(plan: SocietyPlan) {
    this.plan = plan;
    this.world = new SimWorld(plan.seed);
    this.oracle = new Oracle(this.world);
    this.#random = new SeededRandom(`${plan.seed} society`);
    const { wrapApi } = this.world;
    this.world.wrapApi = (node, api) => {
      const lie = this.#byNode.get(node)?.lie;
      return wrapApi(node, lie === undefined ? api : lyingApi(lie, api));
    };
    this.world.watchers.push((node, { name, attributes }) => {
      if (name === 'revision-acknowledged') this.#placedAt(node, attributes['peer'] ?? '');
      if (name === 'holder-found') this.#found(node);
    });
  }

  get minReplicas(): number {
    return this.plan.minReplicas;
  }

  async run(onDay: (day: number) => void = () => undefined): Promise<void> {
    for (let i = 0; i < this.plan.nodes; i += 1) {
      this.after(this.#random.fraction() * CHURN.arrivalDays * DAY_MS, () => this.#isBorn());
    }
    for (let day = CHURN.outageDays; day < this.plan.days; day += CHURN.outageDays) {
      this.after((day + this.#random.between(-20, 0)) * DAY_MS, () => this.#outage());
    }
    for (let day = 1; day <= this.plan.days; day += 1) {
      await this.world.pass(DAY_MS, () => this.#failure !== undefined);
      if (this.#failure !== undefined) throw this.#failure;
      await this.#look();
      onDay(day);
    }
  }

  /**
   * Percent of the people who keep nothing for others, and of the bytes on all disks that belong to them: what is promised to
   * them, and what is EXPIRED, which whoever needs the space takes back.
   */
  freeriderShare(): { readonly people: number; readonly promised: number; readonly expired: number } {
    let all = 0;
    const theirs = { promised: 0, expired: 0 };
    for (const { node } of this.people) {
      for (const [owner, cells] of node.disk.catalog.held) {
        all += cells.size;
        const person = this.#byNode.get(this.oracle.nodeOf(owner) ?? node);
        if (person?.lie !== 'keeps nothing') continue;
        theirs[contractOf(node, owner)?.state === 'EXPIRED' ? 'expired' : 'promised'] += cells.size;
      }
    }
    const percent = (cells: number): number => (all === 0 ? 0 : (100 * cells) / all);
    const riders = this.people.filter(({ lie }) => lie === 'keeps nothing').length;
    const people = (100 * riders) / Math.max(1, this.people.length);
    return { people, promised: percent(theirs.promised), expired: percent(theirs.expired) };
  }

  after(ms: number, act: () => void): void {
    this.world.time.at(ms, act);
  }

  /** An act of a person that takes its time. Being refused or unreachable is life; a bug ends the run. */
  does(person: Person, what: string, act: Promise<unknown>): void {
    act.catch((error: unknown) => {
      const code = error instanceof Error && 'code' in error ? String(error.code) : 'REFUSED';
      this.failures.set(`${what} ${code}`, (this.failures.get(`${what} ${code}`) ?? 0) + 1);
      if (person.node.isUp && !isEverydayFailure(error)) this.#failure ??= error;
    });
  }

  /** The user was told that these files are set. */
  promised(person: Person, sequence: number, files: readonly SimFile[]): void {
    this.oracle.promise(person.node, sequence);
    const history = this.#history.get(person) ?? [];
    history.push({ atMs: this.world.time.nowMs, sequence, files });
    this.#history.set(person, history);
  }

  /** Somebody who lives, is awake, and is no friend yet. */
  stranger(person: Person): Person | undefined {
    for (let i = 0; i < 20; i += 1) {
      const other = this.#random.pick(this.people);
      if (other === undefined || other === person || other.isGone || other.isRecovering) continue;
      if (other.node.daemon?.state === 'UNLOCKED' && other.node.isAwake && !person.friends.has(other)) return other;
    }
    return undefined;
  }

  leaves(person: Person): void {
    if (person.isGone) return;
    person.isGone = true;
    if (person.isRecovering) this.idleLosses += 1;
    person.node.loseDisk();
    this.people.splice(this.people.indexOf(person), 1);
    this.after(this.#random.exponential(2 * DAY_MS), () => this.#isBorn());
  }

  losesDisk(person: Person): void {
    if (person.isGone || person.isRecovering) return;
    const { node } = person;
    const lostMs = this.world.time.nowMs;
    const due = this.#history.get(person)?.findLast(({ atMs }) => atMs <= lostMs - SETTLED_MS);
    this.diskLosses += 1;
    person.isRecovering = true;
    const verdict = this.#lastVerdict.get(person) ?? 'UNKNOWN';
    node.loseDisk();
    this.oracle.forgive(node);
    const { mean, min, max } = CHURN.newMachineHours;
    const hours = Math.min(max, Math.max(min, person.random.exponential(mean)));
    this.after(hours * HOUR_MS, () => this.does(person, 'recover', this.#recover(person, due, verdict)));
  }

  async #recover(person: Person, due: Saved | undefined, verdict: string): Promise<void> {
    const { node } = person;
    if (person.isGone) return;
    await node.start();
    await node.init('recover');
    const startMs = this.world.time.nowMs;
    this.#typedMs.set(person, startMs);
    const poll = (): void => {
      if (person.isGone) return;
      const waitedMs = this.world.time.nowMs - startMs;
      const session = node.daemon?.state === 'UNLOCKED' ? node.session : undefined;
      const restored = session?.newest;
      if (session !== undefined && restored !== undefined) {
        this.recoveryHours.push(waitedMs / HOUR_MS);
        return this.#restored(person, due, verdict, restored.row);
      }
      if (waitedMs > HOPE_MS) return this.#restored(person, due, verdict, undefined);
      this.after(10 * MINUTE_MS, poll);
    };
    poll();
  }

  #found(node: SimNode): void {
    const person = this.#byNode.get(node);
    const typedMs = person === undefined ? undefined : this.#typedMs.get(person);
    if (person === undefined || typedMs === undefined) return;
    this.#typedMs.delete(person);
    this.foundHours.push((this.world.time.nowMs - typedMs) / HOUR_MS);
  }

  /** Judges what came back, and goes on with it. */
  #restored(person: Person, due: Saved | undefined, verdict: string, row: RevisionRow | undefined): void {
    const { node } = person;
    const sequence = row?.sequence ?? 0;
    if (due === undefined) this.idleLosses += 1;
    else if (sequence >= due.sequence) this.recovered += 1;
    else {
      const bytes = due.files.reduce((sum, file) => sum + file.cells.length, 0) * CELL_BYTES;
      this.losses.push({ owner: node.name, sequence: due.sequence, bytes, verdict });
    }
    person.isRecovering = false;
    if (row === undefined) return this.leaves(person); // nothing came back: another person takes this place
    this.#takeFiles(person, this.#history.get(person) ?? [], row);
    this.#history.set(person, []);
  }

  /** What came back must be what was set, byte for byte; with it the person goes on. */
  #takeFiles(person: Person, saved: readonly Saved[], row: RevisionRow): void {
    const files = new OwnStore(person.node.disk).files(row);
    const set = saved.findLast(({ sequence }) => sequence <= row.sequence);
    if (set !== undefined && !encodeFiles(files).equals(encodeFiles(set.files))) {
      throw new Error(`seed ${this.plan.seed}: ${person.node.name} got other files back than it had set`);
    }
    person.node.files = files;
  }

  #isBorn(): void {
    const node = this.world.addNode();
    const random = new SeededRandom(`${this.plan.seed} person ${node.index}`);
    const lie = random.chance(CHURN.malicious) ? (random.pick(LIES) as Lie) : undefined;
    const availability = random.pick(AVAILABILITY) ?? 0.5;
    const friends = new Set<Person>();
    const person: Person = { node, random, availability, lie, isGone: false, isRecovering: false, friends };
    this.#byNode.set(node, person);
    if (lie !== undefined) this.oracle.liars.add(node);
    node.hidesDamage = lie === 'keeps nothing' || lie === 'keeps most';
    this.does(person, 'begin', this.#begin(person));
  }

  async #begin(person: Person): Promise<void> {
    const { node, random } = person;
    await node.start();
    await node.init('generated');
    await node.api.setStorage(0, this.minReplicas);
    await save(this, person, firstFiles(node, random));
    this.people.push(person);
    live(this, person);
  }

  #outage(): void {
    for (const person of this.people) {
      if (this.#random.chance(CHURN.outageShare)) rest(this, person, CHURN.outageHours * HOUR_MS);
    }
  }

  #placedAt(node: SimNode, peer: string): void {
    const person = this.#byNode.get(node);
    if (person === undefined) return;
    const placed = this.#placed.get(person) ?? new Set<string>();
    this.#placed.set(person, placed);
    if (placed.has(peer)) return;
    placed.add(peer);
    // A new copy replaces a lost one if there are lost ones that none has replaced.
    const repairs = this.#repairs.get(person) ?? 0;
    if (placed.size - keepingFriends(person) <= repairs) return;
    this.#repairs.set(person, repairs + 1);
    this.repairedBytes += contentCells(node) * CELL_BYTES;
  }

  /** Once a day: verdicts that must hold, and how much is stored. */
  async #look(): Promise<void> {
    for (const person of this.people) {
      if (!isSeen(person)) continue;
      const verdict = await this.oracle.judgeVerdict(person.node);
      this.#lastVerdict.set(person, verdict);
      this.verdicts.set(verdict, (this.verdicts.get(verdict) ?? 0) + 1);
    }
    let cells = 0;
    for (const { node } of this.people) for (const pack of node.disk.packs.values()) cells += pack.slots.length;
    this.storedByteYears += (cells * CELL_BYTES) / YEAR_DAYS;
  }
}

/** One to five files of all sizes together. */
function firstFiles(node: SimNode, random: SeededRandom): SimFile[] {
  const [low, high] = CHURN.contentCells;
  const cells = Math.round(low * (high / low) ** random.fraction());
  const files = 1 + random.below(5);
  return Array.from({ length: files }, (_, at) => fileOf(`${node.name} ${at}`, Math.max(1, Math.round(cells / files))));
}

function isSeen({ node }: Person): boolean {
  return node.isAwake && node.daemon?.state === 'UNLOCKED';
}
