// The data directory on a real disk: one daemon, a header that survives the loss of any two copies, modes, tmp.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import * as fs from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import { test } from 'node:test';
import { BbError, isBbError } from '../../src/core/errors.ts';
import { BALLAST_BYTES } from '../../src/core/limits.ts';
import type { Header } from '../../src/ports/data-dir.ts';
import { withBallast } from '../../src/storage/ballast.ts';
import { DiskDataDir } from '../../src/storage/data-dir.ts';
import { tempDir } from './storage-fixture.ts';

const HEADER: Header = {
  format: 1,
  createdMs: 1_790_000_000_000,
  mode: 'password',
  account: 'a@b',
  verify: Buffer.alloc(16, 1),
  wrappedWrapKey: Buffer.alloc(48, 2),
  wrappedRowKey: Buffer.alloc(48, 3),
};

const COPIES = ['header.json', 'header.bak', 'row'] as const;
type Copy = (typeof COPIES)[number];

function rowOf(dir: string): Buffer | undefined {
  const database = new DatabaseSync(`${dir}/state.db`);
  const value = database.prepare('SELECT value FROM header').get()?.['value'];
  database.close();
  return value instanceof Uint8Array ? Buffer.from(value) : undefined;
}

function readCopy(dir: string, copy: Copy): string | undefined {
  if (copy === 'row') return rowOf(dir)?.toString();
  return fs.existsSync(`${dir}/${copy}`) ? fs.readFileSync(`${dir}/${copy}`, 'utf8') : undefined;
}

function writeCopy(dir: string, copy: Copy, text: string | undefined): void {
  if (copy !== 'row') {
    if (text === undefined) fs.rmSync(`${dir}/${copy}`);
    else fs.writeFileSync(`${dir}/${copy}`, text);
    return;
  }
  const database = new DatabaseSync(`${dir}/state.db`);
  if (text === undefined) database.exec('DELETE FROM header');
  else database.prepare('UPDATE header SET value = ?').run(Buffer.from(text));
  database.close();
}

async function initialised(dir: string): Promise<DiskDataDir> {
  const dataDir = new DiskDataDir(dir);
  await dataDir.lock();
  await dataDir.writeHeader(HEADER);
  return dataDir;
}

test('an empty folder has no header; one is written once and in three equal copies', async (t) => {
  const dir = `${tempDir(t)}/deep/data`;
  const dataDir = new DiskDataDir(dir);
  await dataDir.lock();
  assert.equal(await dataDir.readHeader(), undefined);
  await dataDir.writeHeader(HEADER);
  assert.deepEqual(await dataDir.readHeader(), HEADER);
  await assert.rejects(dataDir.writeHeader(HEADER), (error) => isBbError(error, 'ALREADY_INITIALISED'));
  const texts = new Set(COPIES.map((copy) => readCopy(dir, copy)));
  assert.equal(texts.size, 1);
  await dataDir.close();
});

test('nothing in the folder can be read by others', async (t) => {
  const dir = tempDir(t);
  fs.chmodSync(dir, 0o755);
  const dataDir = await initialised(dir);
  for (const name of ['.', ...fs.readdirSync(dir)]) {
    assert.equal(fs.statSync(`${dir}/${name}`).mode & 0o077, 0, name);
  }
  await dataDir.close();
});

test('any copy that is missing, damaged or cut is replaced from a good one', async (t) => {
  const dir = tempDir(t);
  const dataDir = await initialised(dir);
  const good = readCopy(dir, 'header.json') ?? assert.fail();
  const damages = [undefined, '', '{', good.slice(0, -20), good.replace('a@b', 'a@c'), 'x'.repeat(5000)];
  for (const copy of COPIES) {
    for (const damage of damages) {
      writeCopy(dir, copy, damage);
      assert.deepEqual(await dataDir.readHeader(), HEADER);
      assert.equal(readCopy(dir, copy), good, `${copy} after ${damage?.slice(0, 20)}`);
    }
  }
  for (const survivor of COPIES) {
    for (const copy of COPIES) if (copy !== survivor) writeCopy(dir, copy, copy === 'row' ? undefined : 'torn');
    assert.deepEqual(await dataDir.readHeader(), HEADER);
    assert.deepEqual(new Set(COPIES.map((copy) => readCopy(dir, copy))), new Set([good]));
  }
  await dataDir.close();
});

test('with every copy damaged it is INTEGRITY, never a new directory', async (t) => {
  const dir = tempDir(t);
  const dataDir = await initialised(dir);
  for (const copy of COPIES) writeCopy(dir, copy, 'torn');
  await assert.rejects(dataDir.readHeader(), (error) => isBbError(error, 'INTEGRITY'));
  await assert.rejects(dataDir.writeHeader(HEADER), (error) => isBbError(error, 'INTEGRITY'));
  await dataDir.close();
});

test('the copy of the catalog has the header, too, when all others are gone', async (t) => {
  const dir = tempDir(t);
  const dataDir = await initialised(dir);
  const database = new DatabaseSync(`${dir}/state.db`);
  database.prepare('VACUUM INTO ?').run(`${dir}/state.bak`);
  database.close();
  const all = [...COPIES.filter((copy) => copy !== 'row'), 'state.db', 'state.db-wal', 'state.db-shm'];
  for (const name of all) fs.rmSync(`${dir}/${name}`, { force: true });
  assert.deepEqual(await dataDir.readHeader(), HEADER);
  assert.equal(readCopy(dir, 'header.bak'), readCopy(dir, 'header.json'));
  assert.equal(fs.existsSync(`${dir}/state.db`), false, 'a lost catalog looks like a fresh one');
  const states = (await dataDir.inspect()).headers.map(({ state }) => state);
  assert.deepEqual(states, ['good', 'good', 'missing']);
  await dataDir.close();
});

test('a directory that was used and has no header is INTEGRITY, and says what to do', async (t) => {
  for (const trace of ['own/pack-0', 'peers/pack-3', 'state.bak', 'state.db.damaged-1']) {
    const dir = tempDir(t);
    const dataDir = new DiskDataDir(dir);
    await dataDir.lock();
    fs.writeFileSync(`${dir}/${trace}`, 'x');
    const isClear = (error: unknown): boolean =>
      isBbError(error, 'INTEGRITY') && /Keep this directory/.test(error.hint);
    await assert.rejects(dataDir.readHeader(), isClear, trace);
    await assert.rejects(dataDir.writeHeader(HEADER), isClear, trace);
    await dataDir.close();
  }
});

test('what others may read is named, and closed again', async (t) => {
  const dir = tempDir(t);
  const dataDir = await initialised(dir);
  assert.deepEqual((await dataDir.inspect()).openToOthers, []);
  fs.chmodSync(`${dir}/header.json`, 0o644);
  fs.chmodSync(`${dir}/own`, 0o750);
  fs.rmSync(`${dir}/ballast`);
  const { openToOthers, hasBallast } = await dataDir.inspect();
  assert.deepEqual([openToOthers.toSorted(), hasBallast], [['header.json', 'own'], false]);
  await dataDir.tidy();
  const after = await dataDir.inspect();
  assert.deepEqual([after.openToOthers, after.hasBallast], [[], true]);
  await dataDir.close();
});

test('a damaged catalog does not hide a good header', async (t) => {
  const dir = tempDir(t);
  const dataDir = await initialised(dir);
  fs.writeFileSync(`${dir}/state.db`, Buffer.alloc(8192, 0x5a));
  assert.deepEqual(await dataDir.readHeader(), HEADER);
  assert.ok(fs.readFileSync(`${dir}/state.db`).equals(Buffer.alloc(8192, 0x5a)), 'and is left as it is');
  await dataDir.close();
});

/** A header of another version: any fields, and the checksum over them. */
function headerOf(fields: Record<string, unknown>): string {
  const checksum = createHash('sha256').update(JSON.stringify(fields)).digest('hex');
  return JSON.stringify({ ...fields, checksum });
}

test('a newer format is INCOMPATIBLE', async (t) => {
  const dir = tempDir(t);
  const dataDir = await initialised(dir);
  const newer = headerOf({ format: 2, anything: 'else' });
  for (const copy of ['header.json', 'header.bak'] as const) writeCopy(dir, copy, newer);
  await assert.rejects(dataDir.readHeader(), (error) => isBbError(error, 'INCOMPATIBLE'));
  await dataDir.close();
});

test('a byte that rotted in the format number is damage of one copy, not a newer format', async (t) => {
  const dir = tempDir(t);
  const dataDir = await initialised(dir);
  const good = readCopy(dir, 'header.json') ?? '';
  writeCopy(dir, 'header.json', good.replace('"format": 1', '"format": 3'));
  assert.deepEqual(await dataDir.readHeader(), HEADER);
  assert.equal(readCopy(dir, 'header.json'), good);
  await dataDir.close();
});

test('a field that a later version added is left out, and the header is good', async (t) => {
  const dir = tempDir(t);
  const dataDir = await initialised(dir);
  const { checksum: _old, ...fields } = JSON.parse(readCopy(dir, 'header.json') ?? '');
  for (const copy of COPIES) writeCopy(dir, copy, headerOf({ ...fields, added: 'later' }));
  assert.deepEqual(await dataDir.readHeader(), HEADER);
  await dataDir.close();
});

test('a second daemon gets DATA_DIR_IN_USE, also from another process, until the first is gone', async (t) => {
  const dir = tempDir(t);
  const first = new DiskDataDir(dir);
  await first.lock();
  await assert.rejects(new DiskDataDir(dir).lock(), (error) => isBbError(error, 'DATA_DIR_IN_USE'));
  await first.close();

  const module = new URL('../../src/storage/data-dir.ts', import.meta.url).href;
  const script = `const { DiskDataDir } = await import(${JSON.stringify(module)});
    globalThis.held = new DiskDataDir(process.argv[1]); await held.lock(); gc(); console.log('locked'); setInterval(() => {}, 1000);`;
  const child = spawn(process.execPath, ['--expose-gc', '--input-type=module', '-e', script, dir], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  t.after(() => child.kill('SIGKILL')); // a child that outlives a failure keeps this process from ending
  await once(child.stdout, 'data');
  await assert.rejects(new DiskDataDir(dir).lock(), (error) => isBbError(error, 'DATA_DIR_IN_USE'));
  child.kill('SIGKILL');
  await once(child, 'exit');
  const after = new DiskDataDir(dir);
  await after.lock();
  await after.close();
});

test('a start drops staging of an interrupted ingest and keeps that of a recovery', async (t) => {
  const dir = tempDir(t);
  const first = new DiskDataDir(dir);
  await first.lock();
  for (const name of ['s1.db', 's1.db-wal', 'recovery-00.db']) fs.writeFileSync(`${dir}/tmp/${name}`, 'x');
  await first.close();
  const second = new DiskDataDir(dir);
  await second.lock();
  assert.deepEqual(fs.readdirSync(`${dir}/tmp`), ['recovery-00.db']);
  await second.close();
});

test('the ballast takes real space, and a clean-up on a full disk gets it', async (t) => {
  const dir = tempDir(t);
  const dataDir = new DiskDataDir(dir);
  await dataDir.lock();
  const { size, blocks } = fs.statSync(`${dir}/ballast`);
  assert.equal(size, BALLAST_BYTES);
  assert.ok(blocks * 512 >= BALLAST_BYTES / 2);
  const totalBytes = await dataDir.totalBytes();
  const freeBytes = await dataDir.freeBytes();
  assert.ok(freeBytes > 0 && freeBytes <= totalBytes, `${freeBytes} of ${totalBytes}`);

  const isThere = (): boolean => fs.existsSync(`${dir}/ballast`);
  const fullOnce = (): string => {
    if (isThere()) throw new BbError('NO_SPACE', 'full');
    return 'cleaned';
  };
  const broken = (): never => {
    throw new BbError('INTEGRITY', 'not for lack of space');
  };
  assert.throws(
    () => withBallast(dir, broken),
    (error) => isBbError(error, 'INTEGRITY'),
  );
  assert.ok(isThere());
  assert.equal(withBallast(dir, fullOnce), 'cleaned');
  assert.equal(isThere(), false);
  await dataDir.close();
  const again = new DiskDataDir(dir);
  await again.lock();
  assert.ok(isThere());
  await again.close();
});

test('a folder that cannot be made or written is UNUSABLE_ENVIRONMENT and says why', async () => {
  await assert.rejects(new DiskDataDir('/proc/bb-none').lock(), (error) => {
    return isBbError(error, 'UNUSABLE_ENVIRONMENT') && /ENOENT/.test(error.message);
  });
});

test('a start that was killed as it made its files leaves a fresh directory, and nothing half made', async (t) => {
  const dir = tempDir(t);
  for (const name of ['state.db', 'state.bak.new', 'header.json.new', 'state.db.new-wal']) {
    fs.writeFileSync(`${dir}/${name}`, '');
  }
  const dataDir = new DiskDataDir(dir);
  await dataDir.lock();
  assert.equal(await dataDir.readHeader(), undefined);
  assert.deepEqual(
    fs.readdirSync(dir).filter((name) => name.includes('.new')),
    [],
  );
  await dataDir.close();
});
