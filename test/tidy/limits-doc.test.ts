// Every bound of core/limits.ts has a row in docs/limits.md (its name in the first column), and the page names no bound that is gone.

import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import * as limits from '../../src/core/limits.ts';

const page = new URL('../../docs/limits.md', import.meta.url);

// The page comes with the documentation step; from then on the two are held together.
if (existsSync(page)) {
  test('docs/limits.md names every limit and only those', () => {
    const named = new Set(
      [...readFileSync(page, 'utf8').matchAll(/^\| `([A-Z][A-Z0-9_]+)`/gm)].map((match) => match[1] as string),
    );
    const existing = Object.keys(limits).filter((name) => /^[A-Z0-9_]+$/.test(name));
    assert.deepEqual({ missing: existing.filter((name) => !named.has(name)) }, { missing: [] });
    assert.deepEqual({ gone: [...named].filter((name) => !existing.includes(name)) }, { gone: [] });
  });
}
