// The file calls of Node as a disk watch sees them: the ones that storage uses, in both their forms.

import fs from 'node:fs';
import promises from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';
import { join } from 'node:path';
import type { DiskWatch } from './disk-watch.ts';
import type { AnyFunction, Patches } from './platform.ts';

/** The class of all open files; it is not exported. */
const anyFile = await promises.open(import.meta.filename);
const fileHandle: object = Object.getPrototypeOf(anyFile);
await anyFile.close();

/** Torn: of a write that fails so much has reached the file. */
const TORN_BYTES = 70_000;

export function watchFileCalls(patches: Patches, watch: DiskWatch): void {
  watchPromises(patches, watch);
  watchSync(patches, watch);
}

function watchPromises(patches: Patches, watch: DiskWatch): void {
  /** Open files and folders by their path. */
  const handles = new WeakMap<object, string>();
  patches.replace(promises, 'open', (open) => async (path, flags, mode) => {
    const known = watch.pathOf(path);
    if (known === undefined) return open(path, flags, mode);
    const writes = isWriting(flags);
    if (writes) watch.call('open', known);
    const existed = fs.existsSync(String(path));
    const handle = (await open(path, flags, mode)) as FileHandle;
    if (!existed) watch.create(known);
    handles.set(handle, known);
    return handle;
  });
  patches.replace(promises, 'mkdir', (mkdir) => async (path, options) => {
    const known = watch.pathOf(path);
    const made = await mkdir(path, options);
    if (known !== undefined) watch.makeFolder(known);
    return made;
  });
  patches.replace(promises, 'rename', (rename) => async (from, to) => renamed(watch, from, to, () => rename(from, to)));
  for (const name of ['rm', 'unlink']) {
    patches.replace(promises, name, (remove) => async (path, options) => {
      const known = watch.pathOf(path);
      if (known !== undefined && watch.model.fileAt(known) !== undefined) watch.call('unlink', known);
      await remove(path, options);
      removed(watch, known);
    });
  }
  const onHandle = (name: string, make: (original: AnyFunction, path: string, handle: unknown) => AnyFunction) => {
    patches.replace(fileHandle, name, (original) => {
      return function (this: unknown, ...args: unknown[]) {
        const opened = handles.get(this as object);
        return opened === undefined ? original.apply(this, args) : make(original, opened, this).apply(this, args);
      };
    });
  };
  onHandle('write', (write, path, handle) => async (...args) => {
    const [buffer, offset, length, position] = args as [Buffer, number, number, number];
    const put = (bytes: number) => {
      const copy = Buffer.from(buffer.subarray(offset, offset + bytes));
      watch.put({ kind: 'write', file: watch.fileAt(path), at: position, bytes: copy }, `write ${path}`);
    };
    try {
      watch.call('write', path);
    } catch (error) {
      const torn = Math.min(length, TORN_BYTES);
      await write.call(handle, buffer, offset, torn, position);
      put(torn);
      throw error;
    }
    const done = await write.apply(handle, args);
    put((done as { readonly bytesWritten: number }).bytesWritten);
    return done;
  });
  onHandle('truncate', (truncate, path, handle) => async (...args) => {
    watch.call('truncate', path);
    const lengthBytes = Number(args[0] ?? 0);
    await truncate.apply(handle, args);
    watch.put({ kind: 'truncate', file: watch.fileAt(path), lengthBytes }, `truncate ${path}`);
  });
  for (const name of ['datasync', 'sync']) {
    onHandle(name, (sync, path, handle) => async () => {
      const upTo = watch.tape.length;
      watch.call(watch.model.isFolder(path) ? 'sync-dir' : 'datasync', path);
      await sync.call(handle);
      watch.synced(path, upTo);
    });
  }
}

function watchSync(patches: Patches, watch: DiskWatch): void {
  const opened = new Map<number, string>();
  patches.replace(fs, 'openSync', (open) => (path, flags, mode) => {
    const known = watch.pathOf(path);
    if (known === undefined) return open(path, flags, mode);
    if (isWriting(flags)) watch.call('open', known);
    const existed = fs.existsSync(String(path));
    const fd = open(path, flags, mode) as number;
    if (!existed) watch.create(known);
    opened.set(fd, known);
    return fd;
  });
  patches.replace(fs, 'closeSync', (close) => (fd) => {
    opened.delete(Number(fd));
    return close(fd);
  });
  for (const name of ['fsyncSync', 'fdatasyncSync']) {
    patches.replace(fs, name, (sync) => (fd) => {
      const known = opened.get(Number(fd));
      const upTo = watch.tape.length;
      if (known !== undefined) watch.call(watch.model.isFolder(known) ? 'sync-dir' : 'datasync', known);
      sync(fd);
      if (known !== undefined) watch.synced(known, upTo);
    });
  }
  patches.replace(fs, 'renameSync', (rename) => (from, to) => renamed(watch, from, to, () => rename(from, to)));
  for (const name of ['rmSync', 'unlinkSync']) {
    patches.replace(fs, name, (remove) => (path, options) => {
      const known = watch.pathOf(path);
      if (known !== undefined && watch.model.fileAt(known) !== undefined) watch.call('unlink', known);
      remove(path, options);
      removed(watch, known);
    });
  }
  patches.replace(fs, 'mkdirSync', (mkdir) => (path, options) => {
    const made = mkdir(path, options);
    const known = watch.pathOf(path);
    if (known !== undefined) watch.makeFolder(known);
    return made;
  });
  patches.replace(fs, 'copyFileSync', (copy) => (from, to, mode) => {
    copy(from, to, mode);
    watch.take(watch.pathOf(to));
  });
  patches.replace(fs, 'writeFileSync', (write) => (path, bytes, options) => {
    write(path, bytes, options);
    watch.take(watch.pathOf(path));
  });
}

function renamed(watch: DiskWatch, from: unknown, to: unknown, rename: () => unknown): unknown {
  const [knownFrom, knownTo] = [watch.pathOf(from), watch.pathOf(to)];
  if (knownFrom === undefined || knownTo === undefined) return rename();
  watch.call('rename', knownTo);
  const put = () => watch.put({ kind: 'rename', from: knownFrom, to: knownTo }, `rename ${knownFrom} to ${knownTo}`);
  const done = rename();
  if (done instanceof Promise) return done.then(put);
  put();
  return done;
}

function removed(watch: DiskWatch, path: string | undefined): void {
  if (path !== undefined && !fs.existsSync(join(watch.root, path))) watch.remove(path);
}

function isWriting(flags: unknown): boolean {
  if (typeof flags === 'number') return (flags & (fs.constants.O_WRONLY | fs.constants.O_RDWR)) !== 0;
  return typeof flags === 'string' && flags !== 'r';
}
