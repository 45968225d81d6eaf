// A cut after every step of setting files, and after some steps of publishing, rewriting and recovering, chosen by a seed: kills,
// and power losses that keep, drop or tear what was not synced. `make scorecard PARTS=cuts` makes all of them.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { allCuts, failedCuts, onOneThread, someOf } from './cut-runs.ts';
import type { Operation } from './cut-recordings.ts';
import { record } from './cut-recordings.ts';

const SEED = Number(process.env['SEED'] ?? '1');

onOneThread();

async function cut(operation: Operation, count: number): Promise<void> {
  const recording = await record(operation);
  assert(recording.tape.length > 20, 'an operation has many steps');
  const all = allCuts(recording, SEED, 1);
  const failed = await failedCuts(recording, someOf(all, count, SEED));
  assert.deepEqual(
    failed.map(({ name, faults }) => [name, ...faults]),
    [],
  );
}

test('a cut after any step of setting files costs nothing that was acknowledged, and needs no hand', () =>
  cut('setfile', Number.POSITIVE_INFINITY));

test('a cut while a revision is offered, pulled and acknowledged is survived by both sides', () => cut('publish', 8));

test('packs that are rewritten keep everything at any cut', () => cut('rewrite', 12));

test('a recovery that is cut goes on by itself', () => cut('recover', 8));
