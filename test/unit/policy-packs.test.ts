// Which packs are rewritten: those of which little is needed, and only when that gives back something.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { PACK_DEAD_CELLS } from '../../src/core/limits.ts';
import { worthRewriting } from '../../src/core/policy/packs.ts';

test('a pack is worth it when less than half is needed and 16 cells go', () => {
  const isWorth = (slots: number, needed: number): boolean => worthRewriting([{ slots, needed }]).length === 1;
  assert.deepEqual([isWorth(2046, 1022), isWorth(2046, 1023), isWorth(2046, 0)], [true, false, true]);
  assert.deepEqual([isWorth(PACK_DEAD_CELLS, 0), isWorth(PACK_DEAD_CELLS - 1, 0), isWorth(0, 0)], [true, false, false]);
  assert.deepEqual([isWorth(31, 15), isWorth(32, 15), isWorth(32, 16)], [true, true, false]);
});

test('the pack of which least is needed is first', () => {
  const packs = [
    { pack: 1, slots: 100, needed: 40 },
    { pack: 2, slots: 1000, needed: 100 },
    { pack: 3, slots: 100, needed: 90 },
    { pack: 4, slots: 50, needed: 0 },
  ];
  assert.deepEqual(
    worthRewriting(packs).map(({ pack }) => pack),
    [4, 2, 1],
  );
});
