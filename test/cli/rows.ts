// Transcripts as rows: a command line, what the scripted daemon answers, and what bb must say and return, as text and as
// JSON.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { LocalApi } from '../../src/daemon/local-api.ts';
import { rigWith } from './rig.ts';

export type Row = {
  readonly bb: readonly string[];
  readonly daemon?: Partial<LocalApi>;
  readonly exit: number;
  readonly stdout?: RegExp | string;
  readonly stderr?: RegExp | string;
  /** What `data` of the envelope has, among other things. */
  readonly data?: Record<string, unknown>;
};

/** One test per row. */
export function runRows(rows: readonly Row[]): void {
  for (const row of rows) {
    test(`bb ${row.bb.map((word) => (word.length > 50 ? '<onion id>' : word)).join(' ')} -> ${row.exit}`, async () => {
      await using rig = await rigWith(row.daemon ?? {});
      const ran = await rig.bb(row.bb);
      assert.equal(ran.exit, row.exit, ran.stderr);
      expect(ran.stdout, row.stdout);
      expect(ran.stderr, row.stderr);
      if (row.data === undefined) return;
      const { exit, body } = await rig.json(row.bb);
      assert.equal(exit, row.exit);
      assert.equal(body.v, 1);
      assert.equal(body.ok, row.exit === 0);
      if (row.exit !== 0) assert.equal(body.error?.exit, row.exit);
      for (const [key, value] of Object.entries(row.data)) assert.deepEqual(body.data[key], value, key);
    });
  }
}

function expect(said: string, wanted: RegExp | string | undefined): void {
  if (typeof wanted === 'string') assert.equal(said, wanted);
  else if (wanted !== undefined) assert.match(said, wanted);
}
