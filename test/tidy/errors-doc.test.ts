// docs/errors.md is the error table, printed.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { errorsPage } from './errors-doc.ts';

test('docs/errors.md is what core/errors.ts says', () => {
  const page = readFileSync(new URL('../../docs/errors.md', import.meta.url), 'utf8');
  assert.equal(page, errorsPage(), 'run make gen');
});
