// Ingest and read back through real threads, packs and catalog: what a change replaces, what is stored once, what an
// abort or a full disk leaves behind.

import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import * as fs from 'node:fs';
import { afterEach, beforeEach, test } from 'node:test';
import { ENTRY_KIND } from '../../src/core/content/entry.ts';
import { isBbError } from '../../src/core/errors.ts';
import type { IngestProgress } from '../../src/ports/workers.ts';
import { noise } from './noise.ts';
import { World } from './workers-world.ts';

let world: World;

beforeEach(async () => {
  world = await World.open();
});

afterEach(async () => {
  assert.deepEqual(world.crashes, []);
  await world.close();
});

const names = (files: Map<string, unknown>): string[] => [...files.keys()];

async function* pieces(...parts: readonly Buffer[]): AsyncGenerator<Buffer> {
  yield* parts;
}

test('a tree comes back as it went in, odd names and links included', async () => {
  const root = Buffer.from(`${world.dir}/tree`);
  const odd = Buffer.concat([root, Buffer.from([0x2f, 0xff, 0x0a, 0x20])]);
  world.write('tree/b/deep/er/file', 'deep');
  world.write('tree/b.txt', 'dot sorts after the folder');
  world.write('tree/empty', '');
  world.write('tree/big', noise(400_000, 1));
  fs.writeFileSync(odd, 'odd');
  fs.symlinkSync('../nowhere', `${world.dir}/tree/link`);
  fs.mkdirSync(`${world.dir}/tree/hollow`);
  fs.chmodSync(`${world.dir}/tree/b.txt`, 0o640);
  const row = await world.setPath(root, 'x');
  const files = await world.readAll(row);
  assert.deepEqual(names(files), [
    'x',
    'x/b',
    'x/b/deep',
    'x/b/deep/er',
    'x/b/deep/er/file',
    'x/b.txt',
    'x/big',
    'x/empty',
    'x/hollow',
    'x/link',
    'x/\xff\n ',
  ]);
  assert.equal(files.get('x/b/deep/er/file')?.bytes.toString(), 'deep');
  assert.deepEqual(files.get('x/big')?.bytes, noise(400_000, 1));
  assert.equal(files.get('x/\xff\n ')?.bytes.toString(), 'odd');
  assert.equal(files.get('x/link')?.entry.target.toString(), '../nowhere');
  assert.equal(files.get('x/hollow')?.entry.kind, ENTRY_KIND.FOLDER);
  assert.equal(files.get('x/b.txt')?.entry.mode, 0o640);
  assert.equal(row.fileCount, 6);
  assert.equal(row.fileBytes, 4 + 26 + 400_000 + 3);
});

test('a name is replaced with everything below it; the rest stays', async () => {
  await world.setPath(world.write('one', '1'), 'keep');
  await world.setPath(world.write('one', '1'), 'd.x');
  world.write('t/a', 'a');
  world.write('t/b', 'b');
  await world.setPath(Buffer.from(`${world.dir}/t`), 'd');
  world.write('u/b', 'B');
  world.write('u/c', 'c');
  const staged = await world.change({
    kind: 'path',
    path: Buffer.from(`${world.dir}/u`),
    name: Buffer.from('d'),
  });
  assert.deepEqual([staged.addedFiles, staged.removedFiles, staged.fileCount], [2, 1, 4]);
  const files = await world.readAll(await world.commit(staged));
  assert.deepEqual(names(files), ['d', 'd/b', 'd/c', 'd.x', 'keep']);
  assert.equal(files.get('d/b')?.bytes.toString(), 'B');
  const asFile = await world.readAll(await world.setPath(world.write('one', 'now a file'), 'd'));
  assert.deepEqual(names(asFile), ['d', 'd.x', 'keep']);
});

test('nothing is stored below a file', async () => {
  await world.setPath(world.write('one', '1'), 'a/b');
  const row = await world.catalog.newestRevision();
  await assert.rejects(world.setPath(world.write('one', '1'), 'a/b/c'), (error) => isBbError(error, 'BAD_NAME'));
  await assert.rejects(world.setPath(world.write('one', '1'), '../c'), (error) => isBbError(error, 'BAD_NAME'));
  assert.deepEqual(await world.catalog.newestRevision(), row);
});

test('a removed name goes with everything below it; an empty name removes all', async () => {
  for (const name of ['a/1', 'a/2', 'ab', 'b']) await world.setPath(world.write('one', name), name);
  const row = await world.commitChange({ kind: 'remove', name: Buffer.from('a') });
  assert.deepEqual(names(await world.readAll(row)), ['ab', 'b']);
  const empty = await world.commitChange({ kind: 'remove', name: Buffer.alloc(0) });
  assert.deepEqual(names(await world.readAll(empty)), []);
  assert.deepEqual([empty.dataCells, empty.indexCells, empty.fileCount], [0, 1, 0]);
});

test('a streamed file is stored like any other', async () => {
  const bytes = noise(300_000, 5);
  const row = await world.commitChange({
    kind: 'stream',
    name: Buffer.from('pipe'),
    bytes: pieces(bytes.subarray(0, 7), bytes.subarray(7, 200_000), bytes.subarray(200_000)),
    mode: 0o600,
  });
  const file = (await world.readAll(row)).get('pipe');
  assert.deepEqual(file?.bytes, bytes);
  assert.deepEqual([file.entry.size, file.entry.mode], [300_000, 0o600]);
  assert.deepEqual(file.entry.sha256, createHash('sha256').update(bytes).digest());
});

test('a stream that fails leaves the old content', async () => {
  await world.setPath(world.write('one', '1'), 'a');
  const before = await world.catalog.newestRevision();
  async function* failing(): AsyncGenerator<Buffer> {
    yield noise(3_000_000, 1);
    throw new Error('gone');
  }
  const change = { kind: 'stream', name: Buffer.from('a'), bytes: failing(), mode: 0o600 } as const;
  await assert.rejects(world.change(change), /gone/);
  assert.deepEqual(await world.catalog.newestRevision(), before);
  assert.deepEqual(fs.readdirSync(`${world.dataDir}/tmp`), []);
});

test('equal bytes are stored once, within a change and across changes', async () => {
  const bytes = noise(1_000_000, 3);
  world.write('t/a', bytes);
  world.write('t/b', bytes);
  const one = await world.setPath(Buffer.from(`${world.dir}/t`), 't');
  assert.ok(one.dataCells <= 9, `${one.dataCells} data cells`);
  const staged = await world.change({ kind: 'path', path: world.write('c', bytes), name: Buffer.from('c') });
  assert.equal(staged.dataCells, one.dataCells);
  const files = await world.readAll(await world.commit(staged));
  assert.deepEqual(files.get('c')?.bytes, bytes);
});

test('cells without a live chunk leave the blob; bytes that come back are found again', async () => {
  const first = await world.setPath(world.write('a', noise(2_000_000, 1)), 'a');
  const second = await world.setPath(world.write('b', noise(500_000, 2)), 'a');
  assert.ok(second.dataCells < first.dataCells / 2, `${first.dataCells} then ${second.dataCells}`);
  const before = await world.change({ kind: 'path', path: Buffer.from(`${world.dir}/a`), name: Buffer.from('a') });
  const third = await world.commit(before);
  assert.deepEqual((await world.readAll(third)).get('a')?.bytes, noise(2_000_000, 1));
  assert.deepEqual((await world.readAll(second)).get('a')?.bytes, noise(500_000, 2));
});

test('an unchanged old file is not read again', async () => {
  const source = world.write('a', 'first');
  const past = new Date(Date.now() - 60_000);
  fs.utimesSync(source, past, past);
  await world.setPath(source, 'a');
  // The snapshot must be younger than the inode by the racy margin, so a later one is made.
  world.aheadMs = 10_000;
  await world.setPath(source, 'b');
  const staged = await world.change({ kind: 'path', path: source, name: Buffer.from('a') });
  assert.deepEqual([staged.addedFiles, staged.removedFiles], [0, 0]);
  assert.equal((await world.readAll(await world.commit(staged))).get('a')?.bytes.toString(), 'first');
  fs.writeFileSync(source, 'FIRST');
  fs.utimesSync(source, past, past);
  world.aheadMs = 0;
  const changed = await world.setPath(source, 'a');
  assert.equal((await world.readAll(changed)).get('a')?.bytes.toString(), 'first', 'forged times are believed');
});

test('a tree that is the same is known to be so; a mode or a removal is a change', async () => {
  world.write('tree/a', 'bytes');
  world.write('tree/b', 'bytes');
  const source = Buffer.from(`${world.dir}/tree`);
  const again = async () => {
    const staged = await world.change({ kind: 'path', path: source, name: Buffer.from('tree') });
    await world.commit(staged);
    return staged.isChanged;
  };
  assert.equal(await again(), true);
  assert.equal(await again(), false);
  fs.chmodSync(`${world.dir}/tree/a`, 0o600);
  assert.equal(await again(), true);
  assert.equal(await again(), false);
  fs.chmodSync(`${world.dir}/tree`, 0o700);
  assert.equal(await again(), true);
  fs.rmSync(`${world.dir}/tree/b`);
  assert.equal(await again(), true);
});

test('small changes cost few cells and leave no trail of small ones', async () => {
  await world.setPath(world.write('big', noise(6_000_000, 1)), 'big');
  for (let n = 0; n < 20; n++) {
    const path = world.write('small', `small change ${n}`);
    const staged = await world.change({ kind: 'path', path, name: Buffer.from(`notes/${n}`) });
    assert.ok(staged.newCells + 2 <= 8, `change ${n} costs ${staged.newCells} cells`);
    await world.commit(staged);
  }
  const row = await world.catalog.newestRevision();
  assert.ok(row !== undefined && row.dataCells <= 50 && row.indexCells <= 4, `${row?.dataCells} ${row?.indexCells}`);
  assert.equal((await world.readAll(row)).size, 21);
});

test('cells that are mostly dead are given up, a few at a time', async () => {
  const names = Array.from({ length: 200 }, (_, n) => String(n).padStart(3, '0'));
  for (const [n, name] of names.entries()) world.write(`t/${name}`, noise(30_000, 1 + n));
  const full = await world.setPath(Buffer.from(`${world.dir}/t`), 't');
  for (const [n, name] of names.entries()) if (n % 4 !== 0) world.write(`t/${name}`, '');
  let row = await world.setPath(Buffer.from(`${world.dir}/t`), 't');
  assert.ok(row.dataCells >= full.dataCells - 5, 'a quarter of each cell is still needed');
  for (let n = 0; n < 10; n++) {
    const path = world.write('small', `small change ${n}`);
    const staged = await world.change({ kind: 'path', path, name: Buffer.from('small') });
    assert.ok(staged.newCells + 2 <= 8, `change ${n} costs ${staged.newCells} cells`);
    row = await world.commit(staged);
  }
  assert.ok(row.dataCells <= full.dataCells - 15, `${full.dataCells} data cells, then ${row.dataCells}`);
  await world.restart();
  const files = await world.readAll(row, 't');
  for (const [n, name] of names.entries()) {
    assert.deepEqual(files.get(`t/${name}`)?.bytes, n % 4 === 0 ? noise(30_000, 1 + n) : Buffer.alloc(0));
  }
});

test('index cells that are mostly dead go too', async () => {
  const random = noise(3000 * 110, 1);
  for (let n = 0; n < 3000; n++) {
    world.write(`t/${n}-${random.subarray(110 * n, 110 * (n + 1)).toString('hex')}`, '');
  }
  const full = await world.setPath(Buffer.from(`${world.dir}/t`), 't');
  assert.ok(full.indexCells >= 3, `${full.indexCells} index cells`);
  const names = fs.readdirSync(`${world.dir}/t`).sort();
  let row = full;
  for (let n = 0; n < 75; n++) row = await world.setPath(world.write('small', `change ${n}`), `t/${names[40 * n]}`);
  assert.ok(row.indexCells <= full.indexCells + 1, `${full.indexCells} index cells, then ${row.indexCells}`);
  assert.equal((await world.readAll(row)).size, 3001);
});

test('an abort in the middle leaves the old content and gives the space back', async () => {
  const before = await world.setPath(world.write('a', 'old'), 'a');
  const usedBytes = (): number => fs.statSync(`${world.dataDir}/own/pack-0`).size;
  const usedBefore = usedBytes();
  const abort = new AbortController();
  const job = {
    change: { kind: 'path', path: world.write('n', noise(20_000_000, 1)), name: Buffer.from('a') },
    snapshotId: Buffer.alloc(16, 9),
    nowMs: 1,
  } as const;
  const stopAtRead = (progress: IngestProgress): void => {
    if (progress.phase === 'read') abort.abort();
  };
  await assert.rejects(world.workers.ingest(job, before, stopAtRead, abort.signal), (error) =>
    isBbError(error, 'INTERRUPTED'),
  );
  assert.deepEqual(fs.readdirSync(`${world.dataDir}/tmp`), []);
  assert.equal(usedBytes(), usedBefore);
  assert.equal((await world.readAll(before)).get('a')?.bytes.toString(), 'old');
  const after = await world.setPath(Buffer.from(`${world.dir}/n`), 'a');
  assert.deepEqual((await world.readAll(after)).get('a')?.bytes, noise(20_000_000, 1));
});

test('what was not committed is gone after a restart', async () => {
  const row = await world.setPath(world.write('a', 'old'), 'a');
  await world.change({ kind: 'path', path: world.write('n', noise(2_000_000, 1)), name: Buffer.from('a') });
  await world.restart();
  assert.deepEqual(fs.readdirSync(`${world.dataDir}/tmp`), []);
  assert.equal((await world.readAll(row)).get('a')?.bytes.toString(), 'old');
  const next = await world.setPath(world.write('b', 'new'), 'b');
  assert.deepEqual(names(await world.readAll(next)), ['a', 'b']);
});

test('a flipped bit on the disk is never returned', async () => {
  const row = await world.setPath(world.write('a', noise(100_000, 1)), 'a');
  const pack = `${world.dataDir}/own/pack-0`;
  const bytes = fs.readFileSync(pack);
  bytes[4096 + 60_000] = (bytes[4096 + 60_000] ?? 0) ^ 1;
  fs.writeFileSync(pack, bytes);
  await assert.rejects(world.readAll(row), (error) => isBbError(error, 'INTEGRITY'));
});

test('what is not there is NOT_FOUND, and special files are counted and named', async () => {
  await assert.rejects(world.setPath(Buffer.from(`${world.dir}/none`), 'a'), (error) => isBbError(error, 'NOT_FOUND'));
  world.write('t/a', 'a');
  const socket = await import('node:net').then((net) => net.createServer().listen(`${world.dir}/t/socket`));
  const staged = await world.change({ kind: 'path', path: Buffer.from(`${world.dir}/t`), name: Buffer.from('t') });
  socket.close();
  assert.deepEqual([staged.skippedFiles, staged.addedFiles], [1, 1]);
  assert.deepEqual(staged.skippedNames, [Buffer.from('t/socket')]);
  await world.workers.discard(staged);
});

test('a file that cannot be read is named as well', async () => {
  // Nobody can read the first page of a process, root neither.
  const staged = await world.change({ kind: 'path', path: Buffer.from('/proc/self/mem'), name: Buffer.from('keys') });
  assert.deepEqual([staged.skippedFiles, staged.addedFiles, staged.skippedNames], [1, 0, [Buffer.from('keys')]]);
  await world.workers.discard(staged);
});

test('progress goes through its phases and knows the totals', async () => {
  world.write('t/a', noise(5_000_000, 1));
  const seen: IngestProgress[] = [];
  const job = {
    change: { kind: 'path', path: Buffer.from(`${world.dir}/t`), name: Buffer.from('t') },
    snapshotId: Buffer.alloc(16, 9),
    nowMs: 1,
  } as const;
  const never = new AbortController().signal;
  await world.workers.ingest(job, undefined, (progress) => seen.push(progress), never);
  assert.deepEqual([...new Set(seen.map((progress) => progress.phase))], ['scan', 'read', 'index', 'verify']);
  assert.equal(seen.at(-1)?.totalBytes, 5_000_000);
});

test('without keys nothing is read or written', async () => {
  const row = await world.setPath(world.write('a', 'old'), 'a');
  await world.workers.lock();
  await assert.rejects(world.readAll(row), (error) => isBbError(error, 'LOCKED'));
  await assert.rejects(world.setPath(world.write('a', 'new'), 'a'), (error) => isBbError(error, 'LOCKED'));
});
