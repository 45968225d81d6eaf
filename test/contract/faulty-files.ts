// A file layer that records calls and fails chosen ones: a full disk, a failed fsync, a torn write.

import { diskFiles } from '../../src/storage/files.ts';
import type { Files, OpenFile } from '../../src/storage/files.ts';

export type Fault = {
  /** Bytes that can still be written; the write that crosses it is torn and fails with ENOSPC. */
  writableBytes: number;
  /** The next datasync fails with EIO. */
  failNextSync: boolean;
  readonly calls: string[];
};

export function faultyFiles(): { readonly files: Files; readonly fault: Fault } {
  const fault: Fault = { writableBytes: Number.POSITIVE_INFINITY, failNextSync: false, calls: [] };
  const note = (call: string, path: string): void => void fault.calls.push(`${call} ${path.split('/').at(-1)}`);
  const files: Files = {
    ...diskFiles,
    async open(path, mode) {
      return faultyFile(await diskFiles.open(path, mode), path.split('/').at(-1) ?? '', fault);
    },
    unlink(path) {
      note('unlink', path);
      return diskFiles.unlink(path);
    },
    syncDir(path) {
      note('syncDir', path);
      return diskFiles.syncDir(path);
    },
  };
  return { files, fault };
}

function faultyFile(file: OpenFile, name: string, fault: Fault): OpenFile {
  return {
    read: (into, position) => file.read(into, position),
    truncate: (lengthBytes) => file.truncate(lengthBytes),
    sizeBytes: () => file.sizeBytes(),
    close: () => file.close(),
    async write(bytes, position) {
      fault.calls.push(`write ${name}`);
      const possible = Math.min(bytes.length, fault.writableBytes);
      fault.writableBytes -= possible;
      await file.write(bytes.subarray(0, possible), position);
      if (possible < bytes.length) throw Object.assign(new Error('no space left on device'), { code: 'ENOSPC' });
    },
    async datasync() {
      fault.calls.push(`datasync ${name}`);
      if (fault.failNextSync) {
        fault.failNextSync = false;
        throw Object.assign(new Error('input/output error'), { code: 'EIO' });
      }
      await file.datasync();
    },
  };
}
