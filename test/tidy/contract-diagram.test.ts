// docs/contracts.md shows the state machine as it is.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { withDiagram } from './contract-diagram.ts';

test('the diagram of docs/contracts.md is that of the machine (make gen)', () => {
  const page = readFileSync(new URL('../../docs/contracts.md', import.meta.url), 'utf8');
  assert.equal(page, withDiagram(page));
});
