// Mistakes that somebody could make in src, and which scenario of this folder has to notice each of them, by what it says.
// plant-defect.ts puts one into a process; defects.test.ts requires that it is found. The same scenarios pass without them.

export type Edit = {
  /** Below src. */
  readonly file: string;
  /** Source text that is there exactly once. */
  readonly from: string;
  readonly to: string;
};

export type Defect = {
  readonly name: string;
  readonly edits: readonly Edit[];
  /** A file of this folder without its ending, and the begin of the name of one of its tests. */
  readonly scenario: readonly [file: string, test: string];
  /** What the oracle or the scenario says then: the promise that was broken. */
  readonly noticed: RegExp;
};

const KILLED = ['catalog-kills', 'every acknowledged transaction'] as const;
const GONE = ['promises', 'a friend who never comes back'] as const;
const EDIT_CRASH = ['crash-points', 'a storer may die'] as const;
const THROWN_AWAY = ['lost-disks', 'a storer that threw everything away'] as const;

export const DEFECTS: readonly Defect[] = [
  {
    name: 'remaining seconds are not frozen while DEGRADED',
    edits: [
      {
        file: 'core/contract/machine.ts',
        from: "slope(enter(before, 'DEGRADED', context), 0, context)",
        to: "enter(before, 'DEGRADED', context)",
      },
    ],
    scenario: GONE,
    noticed: /lets remaining seconds move by 500 permille while DEGRADED/,
  },
  {
    name: 'grace is skipped',
    edits: [{ file: 'core/contract/machine.ts', from: 'isOver ? toGrace(', to: 'isOver ? toReleased(' }],
    scenario: GONE,
    noticed: /goes from DEGRADED to RELEASED/,
  },
  {
    name: 'remaining time is cut short',
    edits: [
      {
        file: 'core/contract/machine.ts',
        from: 'if (remaining(before, context) === 0) {',
        to: 'if (remaining(before, context) < 20 * 86_400) {',
      },
    ],
    scenario: GONE,
    noticed: /is EXPIRED with \d+ s remaining/,
  },
  {
    name: 'time asleep counts',
    edits: [
      {
        file: 'daemon/tick-clock.ts',
        from: 'jumped ? 0 : Math.max(0, Math.min(monotonic, wall))',
        to: 'Math.max(monotonic, wall)',
      },
    ],
    scenario: ['bad-days', 'three weeks of sleep'],
    noticed: /counts \d+ s in \d+ s in which it was awake/,
  },
  {
    name: 'a full disk takes from GRACE',
    edits: [
      { file: 'core/policy/evict.ts', from: "state === 'EXPIRED' &&", to: "state !== 'ACTIVE' &&" },
      { file: 'daemon/make-space.ts', from: "filter(({ state }) => state === 'EXPIRED')", to: 'slice()' },
    ],
    scenario: ['promises', 'a full disk takes nothing'],
    noticed: /drops the current content of a contract in GRACE/,
  },
  {
    name: 'a delete is not delayed',
    edits: [
      {
        file: 'daemon/held.ts',
        from: 'puts: [{ id: current.id, value: kept(session, current.value) }],\n    deletes: [],\n  }));',
        to: 'puts: [], deletes: [current.id] }));\n  await dropList(session, current.value.list);',
      },
    ],
    scenario: ['promises', 'a deleted content stays'],
    noticed: /drops the current content of a contract in ACTIVE/,
  },
  {
    name: 'the hold is half as long',
    edits: [
      {
        file: 'daemon/held.ts',
        from: 'UNCOUNTED_SECONDS + holdSeconds(session, value.owner)',
        to: 'UNCOUNTED_SECONDS + holdSeconds(session, value.owner) / 2',
      },
    ],
    scenario: ['promises', 'a superseded revision stays'],
    noticed: /drops superseded content after \d+ of 604800000 ms/,
  },
  {
    name: 'a shorter hold counts as soon as it is signed',
    edits: [{ file: 'core/contract/transition.ts', from: 'return nowSeconds < untilSeconds ?', to: 'return false ?' }],
    scenario: ['promises', 'a shorter hold that is signed'],
    noticed: /drops superseded content after \d+ of 604800000 ms/,
  },
  {
    name: 'thinning drops what was current longest',
    edits: [{ file: 'core/policy/thin-lists.ts', from: 'isLonger(list, best)', to: 'isLonger(best, list)' }],
    scenario: ['promises', 'of many revisions of a day'],
    noticed: /drops superseded content after \d+ of 604800000 ms/,
  },
  {
    name: 'compare-and-swap is off',
    edits: [{ file: 'core/policy/offer.ts', from: '!facts.previousId.equals(facts.latestKnown)', to: 'false' }],
    scenario: ['promises', 'an offer that does not name'],
    noticed: /takes an offer that does not name what it replaces/,
  },
  {
    name: 'cells are recorded before they are synced',
    edits: [
      {
        file: 'daemon/pull.ts',
        from: 'const marks = await cells.sync();',
        to: 'const marks = positions.map(({ pack, slot }) => ({ pack, slots: slot + 1 }));',
      },
    ],
    scenario: EDIT_CRASH,
    noticed: /says that it holds a revision of which \d+ cells are not durable/,
  },
  {
    name: 'a revision is acknowledged before all of its cells are there',
    edits: [{ file: 'daemon/pull.ts', from: 'await fetchMissing(session, planned, job, turn, signal);', to: '' }],
    scenario: EDIT_CRASH,
    noticed: /says that it holds a revision of which \d+ cells are not durable/,
  },
  {
    name: 'own rot is blamed on the peer',
    edits: [{ file: 'daemon/check-peer.ts', from: 'if (damaged.length > 0) {', to: 'if (damaged.length < 0) {' }],
    scenario: ['promises', 'an owner whose own disk rots'],
    noticed: /accuses n1, whose copy is whole/,
  },
  {
    name: 'what the disk says was proved counts as proved',
    edits: [{ file: 'daemon/copies.ts', from: 'sinceStart: judged.has(peer)', to: 'sinceStart: peer !== undefined' }],
    scenario: ['lost-disks', 'an image of a disk brings no proof'],
    noticed: /says PROTECTED with 0 of 3 copies proved/,
  },
  {
    name: 'a wrong proof is taken for a late one',
    edits: [{ file: 'core/challenge/judge.ts', from: "? 'held' : 'wrong'", to: "? 'held' : 'late'" }],
    scenario: THROWN_AWAY,
    noticed: /not within 48 simulated hours: a check is wrong/,
  },
  {
    name: 'any proof is taken for a right one',
    edits: [{ file: 'core/challenge/judge.ts', from: "? 'held' : 'wrong'", to: "? 'held' : 'held'" }],
    scenario: THROWN_AWAY,
    noticed: /was satisfied by n1, which lacks \d+/,
  },
  {
    name: 'the serving rule is off',
    edits: [{ file: 'core/policy/serving.ts', from: '!isOpen || this.#acknowledged(cell)', to: 'false' }],
    scenario: ['promises', 'a storer that has everything'],
    noticed: /Missing expected rejection/,
  },
  {
    name: 'PROTECTED is said of copies that proved nothing',
    edits: [
      {
        file: 'core/contract/verdict.ts',
        from: "facts.replicas.filter((replica) => copyOf(replica, newest) !== 'none')",
        to: 'facts.replicas.filter((replica) => replica.acknowledged.length > 0)',
      },
      {
        file: 'core/contract/verdict.ts',
        from: "proved.filter((replica) => copyOf(replica, newest) === 'newest')",
        to: 'proved.filter((replica) => replica.acknowledged.equals(newest ?? Buffer.alloc(0)))',
      },
    ],
    scenario: ['promises', 'a copy counts when it was proved'],
    noticed: /says PROTECTED with 0 of 1 copies proved/,
  },
  {
    name: 'a stale revision wins in recovery',
    edits: [{ file: 'core/recovery/choose.ts', from: 'compareRevisions(b, a)', to: 'compareRevisions(a, b)' }],
    scenario: ['lost-disks', 'one fresh holder among stale ones'],
    noticed: /a stale revision was restored/,
  },
  {
    name: 'the lineage guard is off',
    edits: [
      { file: 'daemon/lineage.ts', from: "if (judgement === 'newer') {", to: 'if (false) {' },
      {
        file: 'core/recovery/lineage-guard.ts',
        from: "case 'newer':\n      return false;",
        to: "case 'newer':\n      return true;",
      },
    ],
    scenario: ['lost-disks', 'an older image of the owner'],
    noticed: /replaces a revision by an older one|the newer revision is found/,
  },
  {
    name: 'a twin is ignored',
    edits: [{ file: 'daemon/self-dial.ts', from: 'session.twinFound = true;', to: '' }],
    scenario: ['promises', 'two machines with the same words'],
    noticed: /a twin is found/,
  },
  {
    name: 'repair never starts',
    edits: [
      {
        file: 'core/policy/replicas.ts',
        from: ">= nominal.repairAfter ? 'look' : 'wait'",
        to: ">= nominal.repairAfter ? 'wait' : 'wait'",
      },
    ],
    scenario: ['promises', 'a copy that is lost for good'],
    noticed: /another friend holds a copy/,
  },
  {
    name: 'the catalog says done before it has written',
    edits: [
      {
        file: 'storage/catalog/sqlite-catalog.ts',
        from: 'sql.transaction(() => writeRecords(sql, keys, puts, deletes));',
        to: 'setImmediate(() => sql.transaction(() => writeRecords(sql, keys, puts, deletes)));',
      },
    ],
    scenario: KILLED,
    noticed: /neither these nor one more/,
  },
  {
    name: 'each statement of the catalog is a transaction of its own',
    edits: [
      { file: 'storage/catalog/sql.ts', from: "this.exec('BEGIN IMMEDIATE');", to: '' },
      { file: 'storage/catalog/sql.ts', from: "this.exec('COMMIT');", to: '' },
    ],
    scenario: KILLED,
    noticed: /neither these nor one more|the catalog does not open/,
  },
  {
    name: 'what the journal of the catalog holds is thrown away at a start',
    edits: [
      {
        file: 'storage/catalog/database.ts',
        from: "fs.closeSync(fs.openSync(path, 'a', 0o600));",
        to: "fs.closeSync(fs.openSync(path, 'a', 0o600)); fs.rmSync(`${path}-wal`, { force: true });",
      },
    ],
    scenario: KILLED,
    noticed: /neither these nor one more|the catalog does not open/,
  },
];
