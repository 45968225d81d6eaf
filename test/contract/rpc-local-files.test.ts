// Files over clirpc: bounded messages, back-pressure, and what happens when one side goes away.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { status } from '@grpc/grpc-js';
import type { ServiceError } from '@grpc/grpc-js';
import { ENTRY_KIND, NAMESPACE } from '../../src/core/content/entry.ts';
import type { Entry } from '../../src/core/content/entry.ts';
import { BbError } from '../../src/core/errors.ts';
import type { SetFileResult } from '../../src/daemon/local-api.ts';
import { EntryKind } from '../../src/gen/clirpc/v1/clirpc.ts';
import type { SetFileRequest } from '../../src/gen/clirpc/v1/clirpc.ts';
import type { ReadItem } from '../../src/ports/workers.ts';
import { rigOf, ask, streamed, REVISION, PROGRESS, of, coded } from './rpc-local-fixture.ts';

const entryOf = (path: string, kind: Entry['kind'] = ENTRY_KIND.FILE): Entry => ({
  namespace: NAMESPACE.USER,
  kind,
  path: Buffer.from(path),
  size: 3,
  mtimeNs: 1_700_000_000_123_456_789n,
  mode: 0o640,
  uid: 1000,
  gid: 1001,
  owner: Buffer.alloc(0),
  group: Buffer.alloc(0),
  target: kind === ENTRY_KIND.SYMLINK ? Buffer.from('to') : Buffer.alloc(0),
  marks: 1,
  sha256: Buffer.alloc(32, 5),
  xattrs: [],
  holes: [],
  chunkIds: Buffer.alloc(0),
  extensions: [],
});

const RESULT: SetFileResult = {
  revision: REVISION,
  addedFiles: 1,
  removedFiles: 2,
  skippedFiles: 3,
  skippedNames: [Buffer.from('docs/a')],
  unchanged: false,
};

const setRequest = (fields: Partial<SetFileRequest>): SetFileRequest => ({
  file: undefined,
  path: Buffer.alloc(0),
  fromStream: false,
  mode: 0,
  ...fields,
});

test('files: listing, reading and removing, in messages of bounded size', async () => {
  const long = Array.from({ length: 100 }, (_, index) => entryOf(`${'x'.repeat(4000)}${index}`));
  const big = Buffer.alloc(200_000, 3);
  const items: ReadItem[] = [
    { kind: 'entry', entry: entryOf('a/file') },
    { kind: 'data', bytes: big },
    { kind: 'entry', entry: entryOf('a/link', ENTRY_KIND.SYMLINK) },
  ];
  await using rig = await rigOf({
    listFiles: () => of(long),
    readFiles: () => of(...items),
    removeFile: (name, dryRun) =>
      Promise.resolve({ removedFiles: name.length, revision: dryRun ? undefined : REVISION }),
  });
  const lists = await streamed(rig.client.listFiles({ name: Buffer.alloc(0) }));
  assert.ok(lists.length > 1);
  assert.deepEqual(
    lists.flatMap((list) => list.entries.map((entry) => entry.name.toString())),
    long.map((entry) => entry.path.toString()),
  );
  for (const list of lists)
    assert.deepEqual(
      list.name,
      list.entries.map((entry) => entry.name),
    );

  const parts = await streamed(rig.client.getFile({ name: Buffer.from('a') }));
  assert.equal(parts[0]?.entry?.mtimeNs, 1_700_000_000_123_456_789n);
  assert.equal(parts[0]?.entry?.mode, 0o640);
  assert.equal(parts.at(-1)?.entry?.kind, EntryKind.ENTRY_KIND_SYMLINK);
  assert.deepEqual(parts.at(-1)?.entry?.target, Buffer.from('to'));
  const data = parts.flatMap((part) => (part.data === undefined ? [] : [part.data]));
  assert.ok(data.every((piece) => piece.length <= 65_536));
  assert.deepEqual(Buffer.concat(data), big);

  const removed = await ask(rig.client, 'removeFile', { name: Buffer.from('abc'), dryRun: true });
  assert.deepEqual(removed, { removedFiles: 3n, revision: undefined });
});

test('setfile of a path: progress, then the result', async () => {
  const sources: unknown[] = [];
  await using rig = await rigOf({
    setFile: (source, onProgress) => {
      sources.push(source);
      onProgress(PROGRESS);
      return Promise.resolve(RESULT);
    },
  });
  const call = rig.client.setFile();
  call.write(
    setRequest({ file: { name: Buffer.from('docs'), data: Buffer.alloc(0) }, path: Buffer.from('/home/docs') }),
  );
  call.end();
  const updates = await streamed(call as never);
  assert.deepEqual(sources, [{ kind: 'path', name: Buffer.from('docs'), path: Buffer.from('/home/docs') }]);
  const [progress, result] = updates as {
    progress?: { phase: string };
    revision?: unknown;
    skippedFiles: bigint;
    skippedNames: Buffer[];
  }[];
  assert.equal(progress?.progress?.phase, 'read');
  assert.notEqual(result?.revision, undefined);
  assert.deepEqual([result?.skippedFiles, result?.skippedNames], [3n, [Buffer.from('docs/a')]]);
});

test('setfile of a stream: all bytes in order, and a source that is not read stops the writer', async () => {
  const piece = Buffer.alloc(65_536, 4);
  let take: (() => void) | undefined;
  const wanted = new Promise<void>((resolve) => (take = resolve));
  let bytes = 0;
  await using rig = await rigOf({
    setFile: async (source) => {
      assert.equal(source.kind, 'stream');
      if (source.kind !== 'stream') return RESULT;
      assert.equal(source.mode, 0o600);
      await wanted;
      for await (const part of source.bytes) bytes += part.length;
      return RESULT;
    },
  });
  const call = rig.client.setFile();
  const updates = streamed(call as never);
  call.write(setRequest({ file: { name: Buffer.from('dump'), data: Buffer.from('head') }, fromStream: true }));
  let sent = 0;
  while (sent < 512 && call.write(setRequest({ file: { name: Buffer.alloc(0), data: piece } }))) sent += 1;
  assert.ok(sent < 512, 'the writer was never stopped');
  take?.();
  call.write(setRequest({ file: { name: Buffer.alloc(0), data: Buffer.from('tail') } }));
  call.end();
  await updates;
  assert.equal(bytes, 'head'.length + (sent + 1) * piece.length + 'tail'.length);
});

test('a streamed file that breaks off aborts its job; a path does not notice', async () => {
  const signals: AbortSignal[] = [];
  const begun: (() => void)[] = [];
  await using rig = await rigOf({
    setFile: async (source, _onProgress, signal) => {
      signals.push(signal);
      begun.shift()?.();
      if (source.kind === 'stream') for await (const part of source.bytes) void part;
      await new Promise((resolve) => signal.addEventListener('abort', resolve));
      throw new BbError('INTERRUPTED', 'the stream broke');
    },
  });
  for (const fromStream of [true, false]) {
    const started = new Promise<void>((resolve) => begun.push(resolve));
    const call = rig.client.setFile();
    const failure = assert.rejects(streamed(call as never), (error: ServiceError) => error.code === status.CANCELLED);
    const path = fromStream ? Buffer.alloc(0) : Buffer.from('/x');
    call.write(setRequest({ file: { name: Buffer.from('n'), data: Buffer.alloc(0) }, path, fromStream }));
    await started;
    call.cancel();
    await failure;
  }
  // The server hears of the cancellations in order; the next answer shows that it has seen both.
  await assert.rejects(ask(rig.client, 'lock', {}), coded('CONFLICT'));
  assert.deepEqual(
    signals.map((signal) => signal.aborted),
    [true, false],
  );
});

test('setfile refuses a first message that names nothing', async () => {
  await using rig = await rigOf({});
  const file = { name: Buffer.from('n'), data: Buffer.alloc(0) };
  for (const first of [
    undefined,
    setRequest({ file }),
    setRequest({ file, path: Buffer.from('/x'), fromStream: true }),
  ]) {
    const call = rig.client.setFile();
    if (first !== undefined) call.write(first);
    call.end();
    await assert.rejects(streamed(call as never), coded('USAGE'));
  }
});
