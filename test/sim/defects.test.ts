// The proof of the proof: with any one of the planted defects a scenario of this folder fails, and says which promise was
// broken. A defect that is not noticed means that the scenarios and the oracle watch less than they seem to.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { test } from 'node:test';
import { DEFECTS } from './defects.ts';
import type { Defect } from './defects.ts';

/** The scenario in a process of its own, with the defect; what it prints, and whether it passed. */
function runWith({ name, scenario }: Defect): Promise<{ readonly code: number | null; readonly said: string }> {
  const [file, title] = scenario;
  const { NODE_TEST_CONTEXT: _, ...env } = process.env;
  const here = (path: string): string => new URL(path, import.meta.url).pathname;
  const args = ['--import', here('plant-defect.ts'), '--test-name-pattern', `^${title}`, here(`${file}.test.ts`)];
  const child = spawn(process.execPath, args, { env: { ...env, DEFECT: name }, stdio: ['ignore', 'pipe', 'pipe'] });
  const said: string[] = [];
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (bytes: Buffer) => said.push(bytes.toString()));
  return new Promise((resolve) => child.on('close', (code) => resolve({ code, said: said.join('') })));
}

for (const defect of DEFECTS) {
  test(`noticed: ${defect.name}`, async () => {
    const { code, said } = await runWith(defect);
    assert.match(said, defect.noticed);
    assert.notEqual(code, 0);
  });
}
