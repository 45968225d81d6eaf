// Flipped bytes (docs/testing.md, "Flipped bytes"): a sample of every file, chosen by the seed, and places that once were a bug.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { diceOf } from '../fuzz/dice.ts';
import { FILES, FlipBench } from './flips.ts';
import { judge } from './flips-judge.ts';
import { PACK_RANGES, PackBench } from './flips-packs.ts';
import { makeSpecimen } from './flips-world.ts';
import type { Specimen } from './flips-world.ts';

const SEED = Number(process.env['SEED'] || '1');
const FLIPS_OF_A_FILE = 40;
const FLIPS_OF_A_RANGE = 150;

let specimen: Specimen;
let bench: FlipBench;
before(async () => {
  specimen = await makeSpecimen();
  bench = await FlipBench.open(specimen);
});
after(() => bench.close());

for (const [state, name] of FILES) {
  test(`a flipped byte of ${name} (${state}) is named or harmless, seed ${SEED}`, async () => {
    const length = specimen[state].get(name)?.length ?? 0;
    assert.ok(length > 0);
    const dice = diceOf(SEED, `${state} ${name}`, 0);
    for (let count = 0; count < FLIPS_OF_A_FILE; count++) {
      const at = dice.below(length);
      const { kind, what } = await bench.flip(state, name, at);
      assert.ok(kind === 'same' || kind === 'found', `byte ${at}: ${kind}: ${what}`);
    }
  });
}

for (const kind of ['own', 'peers'] as const) {
  test(`a flipped byte of a pack (${kind}) gives no other cell, seed ${SEED}`, async () => {
    const packs = await PackBench.open(specimen, kind);
    const dice = diceOf(SEED, kind, 0);
    let found = 0;
    for (const { from, to } of PACK_RANGES) {
      for (let count = 0; count < FLIPS_OF_A_RANGE; count++) {
        const at = from + dice.below(to - from);
        const verdict = await packs.flip(at);
        assert.ok(verdict.kind === 'same' || verdict.kind === 'found', `byte ${at}: ${verdict.what}`);
        if (verdict.kind === 'found') found += 1;
      }
    }
    assert.equal(found, PACK_RANGES.length * FLIPS_OF_A_RANGE, 'no byte of a header or slot is without a guard');
  });
}

/** Columns that are not sealed, each with a value that one flipped bit can give it. */
const CHANGED: Readonly<Record<string, string>> = {
  'a mark that fell': 'UPDATE mark SET slots = slots & ~2',
  'a mark of another pack': 'UPDATE mark SET pack = pack | 1 WHERE store = 1',
  'a position beyond every pack': 'UPDATE held_cell SET slot = slot | 4096',
  'a position of a neighbour': 'UPDATE cell SET slot = (slot | 1) - (slot & 1)',
  'a shorter list': 'UPDATE held_list SET cells = cells & ~1',
  'another cell in a list': "UPDATE held_page SET cells = CAST(x'0000000300000002' || substr(cells, 9) AS BLOB)",
  'a cell of another kind': 'UPDATE cell SET kind = kind | 2',
};

for (const [what, statement] of Object.entries(CHANGED)) {
  test(`${what} in the catalog is noticed before it does harm`, async () => {
    const { kind, what: answer } = await bench.change(statement);
    assert.equal(kind, 'found', answer);
  });
}

test('a text of the schema is not believed when a bit of it changed', async () => {
  const file = specimen.closed.get('state.db') ?? Buffer.alloc(0);
  for (const text of ['cells BLOB', 'slots INTEGER', 'leaves BLOB']) {
    const { kind, what } = await bench.flip('closed', 'state.db', file.indexOf(text));
    assert.deepEqual([kind, what], ['found', 'open: error INTEGRITY'], text);
  }
});

test('a journal that rotted in its middle is named, and its last write counts as cut off', async () => {
  const journal = specimen.running.get('state.db-wal') ?? Buffer.alloc(0);
  const early = await bench.flip('running', 'state.db-wal', 2000);
  assert.deepEqual([early.kind, early.what], ['found', 'open: error INTEGRITY']);
  const late = await bench.flip('running', 'state.db-wal', journal.length - 100);
  assert.deepEqual([late.kind, late.what], ['found', 'a cut last write']);
});

test('another answer is wrong, and a bug is a crash', () => {
  const answers = new Map([['files', 'a']]);
  assert.equal(judge(answers, new Map([['files', 'b']])).kind, 'wrong');
  assert.equal(judge(answers, new Map([['files', 'crash TypeError']])).kind, 'crashed');
  assert.equal(judge(answers, new Map([['files', 'error INTEGRITY']])).kind, 'found');
});
