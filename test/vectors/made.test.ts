// The committed vectors are exactly what make.ts makes, and what makes them shares no line with src.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { globSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';

const here = import.meta.dirname;

test('every vector file is what make.ts writes', () => {
  const folder = mkdtempSync(join(tmpdir(), 'bb-vectors-'));
  try {
    execFileSync(process.execPath, [join(here, 'make.ts'), '--to', folder]);
    const made = readdirSync(folder).sort();
    const committed = readdirSync(here).filter((name) => name.endsWith('.json') && name !== 'kdf.json');
    assert.deepEqual(made, committed.sort());
    for (const name of made) {
      assert.equal(readFileSync(join(folder, name), 'utf8'), readFileSync(join(here, name), 'utf8'), name);
    }
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test('the second implementation imports @noble, node and itself only', () => {
  const files = [...globSync('plain/*.ts', { cwd: here }), 'make.ts', 'restore-by-hand.ts'];
  assert.ok(files.length > 5);
  for (const file of files) {
    for (const [, from] of readFileSync(join(here, file), 'utf8').matchAll(/from '([^']+)'/g)) {
      assert.match(from as string, /^(@noble\/|node:|\.\/(plain\/)?[a-z-]+\.ts$)/, file);
    }
  }
});
