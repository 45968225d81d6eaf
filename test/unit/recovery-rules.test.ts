// Modes, lineage, choice, freshness and completion: the tables of recovery.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ancestorHash } from '../../src/core/content/ancestors.ts';
import type { Lineage } from '../../src/core/content/ancestors.ts';
import type { ContractState } from '../../src/core/contract/state.ts';
import { PERIODS_MS } from '../../src/core/policy/periods.ts';
import { chooseRevision } from '../../src/core/recovery/choose.ts';
import { judgeCompletion } from '../../src/core/recovery/completion.ts';
import type { CompletionFacts } from '../../src/core/recovery/completion.ts';
import { judgeFreshness } from '../../src/core/recovery/freshness.ts';
import type { FreshnessFacts, ListedPeer } from '../../src/core/recovery/freshness.ts';
import { judgeOwnId, mayNameAsPrevious } from '../../src/core/recovery/lineage-guard.ts';
import { initialMode, nextMode } from '../../src/core/recovery/node-mode.ts';
import type { ModeEvent } from '../../src/core/recovery/node-mode.ts';
import type { NodeMode } from '../../src/core/records.ts';

const HOUR = 3_600_000;
const NONE = Buffer.alloc(0);
const id = (n: number) => Buffer.alloc(64, n);

const MODES: Record<NodeMode, Record<ModeEvent, NodeMode>> = {
  normal: {
    'newer-id-found': 'recovering',
    'first-id-found': 'recovering',
    'look-found-nobody': 'normal',
    completed: 'normal',
  },
  blocked: {
    'newer-id-found': 'recovering',
    'first-id-found': 'recovering',
    'look-found-nobody': 'normal',
    completed: 'blocked',
  },
  recovering: {
    'newer-id-found': 'recovering',
    'first-id-found': 'recovering',
    'look-found-nobody': 'recovering',
    completed: 'normal',
  },
};

test('every mode and event leads where the table says', () => {
  for (const [mode, row] of Object.entries(MODES)) {
    for (const [event, next] of Object.entries(row)) {
      assert.equal(nextMode(mode as NodeMode, event as ModeEvent), next, `${mode} ${event}`);
    }
  }
});

test('only a secret generated just now starts unblocked', () => {
  assert.equal(initialMode(true), 'normal');
  assert.equal(initialMode(false), 'blocked');
});

/** Newest is sequence 10 of generation 1; the window reaches back to sequence 6. */
const LINE: Lineage = {
  generation: 1,
  sequence: 10,
  contentId: id(10),
  ancestors: Buffer.concat([9, 8, 7, 6].map((n) => ancestorHash(id(n)))),
  generations: [{ generation: 0, lastSequence: 7 }],
  settled: ancestorHash(id(98)),
};
const place = (generation: number, sequence: number) => ({ generation, sequence });

test('an id of ours is judged by its line', () => {
  assert.equal(judgeOwnId(NONE, undefined, LINE), 'none');
  assert.equal(judgeOwnId(id(10), place(1, 10), LINE), 'ours');
  assert.equal(judgeOwnId(id(9), place(1, 9), LINE), 'ours');
  assert.equal(judgeOwnId(id(7), place(0, 7), LINE), 'ours');
  assert.equal(judgeOwnId(id(3), place(0, 3), LINE), 'ours');
  assert.equal(judgeOwnId(id(11), place(1, 11), LINE), 'newer');
  assert.equal(judgeOwnId(id(4), place(2, 4), LINE), 'newer');
  assert.equal(judgeOwnId(id(99), place(1, 10), LINE), 'fork');
  assert.equal(judgeOwnId(id(99), place(1, 9), LINE), 'fork');
  assert.equal(judgeOwnId(id(99), place(0, 8), LINE), 'fork');
  assert.equal(judgeOwnId(id(98), place(1, 9), LINE), 'ours');
  assert.equal(judgeOwnId(id(98), place(1, 10), LINE), 'fork');
  assert.equal(judgeOwnId(id(99), undefined, LINE), 'foreign');
});

test('a node that has nothing follows any authentic id', () => {
  assert.equal(judgeOwnId(id(1), place(0, 1), undefined), 'newer');
  assert.equal(judgeOwnId(id(1), undefined, undefined), 'foreign');
});

test('an id above the base is never named as previous, one that does not open only once', () => {
  const may = (['none', 'ours', 'fork', 'foreign', 'newer'] as const).map((judged) => [
    mayNameAsPrevious(judged, false),
    mayNameAsPrevious(judged, true),
  ]);
  assert.deepEqual(may, [
    [true, true],
    [true, true],
    [true, true],
    [true, false],
    [false, false],
  ]);
});

test('the highest generation and sequence wins; a rival at the same place is a fork', () => {
  const a = { ...place(0, 9), contentId: id(1) };
  const b = { ...place(1, 3), contentId: id(3) };
  const c = { ...place(1, 3), contentId: id(2) };
  assert.equal(chooseRevision([]), undefined);
  assert.deepEqual(chooseRevision([a, b, b]), { newest: b, forks: [] });
  assert.deepEqual(chooseRevision([a, b, c]), { newest: c, forks: [b] });
  assert.deepEqual(chooseRevision([c, b, a]), { newest: c, forks: [b] });
});

const LOOKING: FreshnessFacts = {
  listed: [],
  isNewerKnown: false,
  sinceFirstAnswerMs: undefined,
  hasUsersWord: false,
};
const ANSWERED = { sinceFirstAnswerMs: 0 };

/** Of so many listed peers in a state the first `proved` hold something of ours. */
function listed(count: number, proved: number, state: ContractState = 'ACTIVE'): ListedPeer[] {
  return Array.from({ length: count }, (_, at) => ({ state, isProved: at < proved }));
}

function fresh(change: Partial<FreshnessFacts>): string {
  const judged = judgeFreshness({ ...LOOKING, ...change }, PERIODS_MS);
  return judged.isFresh
    ? judged.why
    : `${judged.missing} in ${judged.waitMs === undefined ? '-' : judged.waitMs / HOUR}`;
}

test('a restore starts with 5 holders, 80 % of the listed ones, after 24 h, or on a word', () => {
  assert.equal(fresh({}), '5 in -');
  assert.equal(fresh({ ...ANSWERED, listed: listed(10, 4) }), '1 in 24');
  assert.equal(fresh({ ...ANSWERED, listed: listed(10, 5) }), 'HOLDERS');
  assert.equal(fresh({ ...ANSWERED, listed: listed(2, 1) }), '1 in 24');
  assert.equal(fresh({ ...ANSWERED, listed: listed(2, 2) }), 'LISTED');
  assert.equal(fresh({ ...ANSWERED, listed: listed(4, 3) }), '1 in 24');
  assert.equal(fresh({ ...ANSWERED, listed: listed(5, 4) }), 'LISTED');
  assert.equal(fresh({ ...ANSWERED, listed: [] }), '5 in 24');
  assert.equal(fresh({ listed: listed(2, 0), sinceFirstAnswerMs: 24 * HOUR - 1 }).startsWith('2 in'), true);
  assert.equal(fresh({ listed: listed(2, 0), sinceFirstAnswerMs: 24 * HOUR }), 'WAITED');
  assert.equal(fresh({ ...ANSWERED, listed: listed(9, 0), hasUsersWord: true }), 'USER');
  assert.equal(fresh({ hasUsersWord: true }), '5 in -');
});

test('while a newer revision is known that nobody gives, only 24 h or a word make an older one good enough', () => {
  const known = { listed: listed(9, 9), isNewerKnown: true };
  assert.equal(fresh({ ...known, sinceFirstAnswerMs: 24 * HOUR - 1 }).startsWith('1 in'), true);
  assert.equal(fresh({ ...known, sinceFirstAnswerMs: 24 * HOUR }), 'WAITED');
  assert.equal(fresh({ ...known, ...ANSWERED, hasUsersWord: true }), 'USER');
});

test('peers that were no copy when the head was sealed are neither waited for nor stand in for the others', () => {
  for (const state of ['GRACE', 'EXPIRED', 'ENDING'] as const) {
    assert.equal(fresh({ ...ANSWERED, listed: [...listed(4, 4), ...listed(3, 0, state)] }), 'LISTED', state);
    assert.equal(fresh({ ...ANSWERED, listed: [...listed(5, 0), ...listed(4, 4, state)] }), '1 in 24', state);
    assert.equal(fresh({ ...ANSWERED, listed: [...listed(2, 1), ...listed(3, 3, state)] }), '1 in 24', state);
    assert.equal(fresh({ ...ANSWERED, listed: listed(4, 4, state) }), '1 in 24', state);
    assert.equal(fresh({ ...ANSWERED, listed: [...listed(5, 1), ...listed(4, 4, state)] }), 'HOLDERS', state);
  }
  assert.equal(fresh({ ...ANSWERED, listed: [...listed(3, 3), ...listed(2, 0, 'DEGRADED')] }), '1 in 24');
});

const BACK: CompletionFacts = {
  isRestored: true,
  missingFiles: 0,
  listedPeers: 2,
  answeredPeers: 2,
  sinceFirstAnswerMs: 0,
  isSequenceAccepted: false,
  isAsked: false,
  isLossAccepted: false,
};

function completion(change: Partial<CompletionFacts>): string {
  const judged = judgeCompletion({ ...BACK, ...change }, PERIODS_MS);
  return judged.kind === 'wait' ? judged.forWhat : judged.kind;
}

test('a recovery completes by itself only with everything back and everyone heard', () => {
  assert.equal(completion({}), 'complete');
  assert.equal(completion({ isRestored: false }), 'RESTORE');
  assert.equal(completion({ missingFiles: 1 }), 'MISSING_FILES');
  assert.equal(completion({ answeredPeers: 1 }), 'PEERS');
  assert.equal(completion({ answeredPeers: 1, sinceFirstAnswerMs: 72 * HOUR - 1 }), 'PEERS');
  assert.equal(completion({ answeredPeers: 1, sinceFirstAnswerMs: 72 * HOUR }), 'complete');
});

test('a person may go on without files that nobody has, but not past peers unheard', () => {
  assert.equal(completion({ missingFiles: 1, isAsked: true }), 'complete');
  assert.equal(completion({ answeredPeers: 1, isAsked: true }), 'PEERS');
  assert.equal(completion({ answeredPeers: 1, isAsked: true, isSequenceAccepted: true }), 'complete');
  assert.equal(completion({ isRestored: false, isAsked: true }), 'RESTORE');
  assert.equal(completion({ isRestored: false, isLossAccepted: true }), 'complete');
});
