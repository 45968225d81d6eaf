// Folders are made with their parents, and what cannot be made is an error, not a wait for ever.
import assert from 'node:assert/strict';
import * as fs from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { makeFolders } from '../../cli/make-folders.ts';
import { diskFiles } from '../../src/storage/files.ts';

for (const [name, make] of [
  ['bb', (path: string) => makeFolders(path, 0o700)],
  ['bbd', (path: string) => diskFiles.makeDir(path)],
] as const) {
  test(`${name} makes a folder with its parents, once`, async (context) => {
    const dir = fs.mkdtempSync(join(tmpdir(), 'bb-folders-'));
    context.after(() => fs.rmSync(dir, { recursive: true }));
    const path = join(dir, 'a', 'b', 'c');
    assert.notEqual(await make(path), false);
    assert.equal(fs.statSync(path).mode & 0o777, 0o700);
    assert.notEqual(await make(path), true);
    fs.writeFileSync(join(dir, 'file'), '');
    await assert.rejects(async () => {
      await make(join(dir, 'file', 'below'));
    }, /ENOTDIR/);
  });

  test(`${name} says so when the kernel makes no folder`, { timeout: 10_000 }, async () => {
    for (const path of ['/proc/bb-none', '/proc/bb-none/a/b']) {
      await assert.rejects(async () => {
        await make(path);
      }, /ENOENT/);
    }
  });
}
