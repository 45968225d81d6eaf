// Every row of core/policy/periods.ts is a row of docs/limits.md with the same value, and the page has no row more.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { DEADLINES_MS, PERIODS_MS } from '../../src/core/policy/periods.ts';

const UNIT_MS: Record<string, number> = { s: 1000, min: 60_000, h: 3_600_000, d: 86_400_000 };
const page = readFileSync(new URL('../../docs/limits.md', import.meta.url), 'utf8');

function rowsBelow(heading: string): Record<string, number> {
  const [, after] = page.split(`\n## ${heading}\n`);
  const section = (after ?? assert.fail(`no heading ${heading}`)).split('\n## ')[0] ?? '';
  const rows = section.matchAll(/^\| ([a-z]\w+) \| (\d+) (s|min|h|d) \|/gm);
  return Object.fromEntries(
    [...rows].map(([, name, count, unit]) => [name, Number(count) * (UNIT_MS[unit ?? ''] ?? NaN)]),
  );
}

for (const { heading, table } of [
  { heading: 'Periods', table: PERIODS_MS },
  { heading: 'Deadlines', table: DEADLINES_MS },
]) {
  test(`${heading} of docs/limits.md are the rows of the table with their values`, () => {
    assert.deepEqual(rowsBelow(heading), { ...table });
  });
}
