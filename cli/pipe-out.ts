// Writes what GetFile streams to stdout: a file as its bytes, a folder as a tar archive. A terminal gets text only: bytes of
// a backup could hold sequences that control it.

import { once } from 'node:events';
import type { Readable, Writable } from 'node:stream';
import { BbError } from '../src/core/errors.ts';
import { EntryKind } from '../src/gen/clirpc/v1/clirpc.ts';
import type { Entry, GetFileResponse } from '../src/gen/clirpc/v1/clirpc.ts';
import { hasNoBytes } from './entry-marks.ts';
import { nameParts } from './entry-path.ts';
import { safeName, utf8Name } from './safe-text.ts';
import { nothingThere } from './stored-name.ts';

const NEEDS_OUT = { hint: 'Name OUT, or send it to a pipe or a file.' };
const NS_PER_SECOND = 1_000_000_000n;

type TarHeader = {
  readonly name: string;
  readonly type: 'file' | 'directory' | 'symlink' | 'link';
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly size: number;
  readonly mtime: Date;
  readonly linkname?: string;
  readonly pax: Readonly<Record<string, string>>;
};
/** The parts of tar-stream that are used; the package brings no types. */
type TarPack = Readable & {
  entry(header: TarHeader, done: (error?: Error | null) => void): Writable;
  finalize(): void;
};

export type PipeOptions = { readonly name: Buffer; readonly stdout: Writable & { readonly isTTY?: boolean } };

export async function pipeOut(items: AsyncIterable<GetFileResponse>, options: PipeOptions): Promise<void> {
  const iterator = items[Symbol.asyncIterator]();
  try {
    const first = await iterator.next();
    const entry = first.done ? undefined : first.value.entry;
    if (entry === undefined) throw nothingThere(options.name);
    const rest = { [Symbol.asyncIterator]: () => iterator };
    if (entry.kind === EntryKind.ENTRY_KIND_FILE && entry.name.equals(options.name)) {
      await pipeFile(entry, rest, options);
    } else {
      await pipeTar(entry, rest, options);
    }
  } finally {
    await iterator.return?.();
  }
}

async function pipeFile(entry: Entry, rest: AsyncIterable<GetFileResponse>, { stdout }: PipeOptions): Promise<void> {
  if (hasNoBytes(entry)) {
    const hint = 'Make it readable, then run bb setfile again.';
    throw new BbError('PARTIAL', 'the file was unreadable when it was backed up', { hint });
  }
  let bytes = 0n;
  for await (const { data } of rest) {
    if (data === undefined) throw new BbError('INTEGRITY', 'the daemon sent more than one file');
    if (stdout.isTTY === true && isBinary(data)) {
      throw new BbError('USAGE', 'the file is not text, and stdout is a terminal', NEEDS_OUT);
    }
    bytes += BigInt(data.length);
    await write(stdout, data);
  }
  if (bytes !== entry.size) throw new BbError('INTEGRITY', 'the daemon sent another number of bytes than the file has');
}

async function pipeTar(first: Entry, rest: AsyncIterable<GetFileResponse>, options: PipeOptions): Promise<void> {
  if (options.stdout.isTTY === true) throw new BbError('USAGE', 'a folder needs OUT', NEEDS_OUT);
  const { pack } = (await import('tar-stream' as string)) as { readonly pack: () => TarPack };
  const tar = pack();
  const copied = copy(tar, options.stdout);
  // A failure of the copy is reported by the await below; until then it must not count as unhandled.
  copied.catch(() => undefined);
  const above = nameParts(options.name).length - 1;
  let done = Promise.resolve();
  let file: Writable | undefined;
  const start = async (entry: Entry): Promise<void> => {
    file?.end();
    await done;
    let settle: (error?: Error | null) => void = () => undefined;
    done = new Promise((resolve, reject) => (settle = (error) => (error ? reject(error) : resolve())));
    done.catch(() => undefined);
    const sink = tar.entry(tarHeader(entry, above), (error) => settle(error));
    file = entry.kind === EntryKind.ENTRY_KIND_FILE ? sink : undefined;
  };
  await start(first);
  for await (const { entry, data } of rest) {
    if (entry !== undefined) await start(entry);
    else if (data !== undefined && file !== undefined) await write(file, data);
  }
  file?.end();
  await done;
  tar.finalize();
  await copied;
}

function tarHeader(entry: Entry, above: number): TarHeader {
  const kinds: Readonly<Record<number, TarHeader['type']>> = {
    [EntryKind.ENTRY_KIND_FILE]: 'file',
    [EntryKind.ENTRY_KIND_FOLDER]: 'directory',
    [EntryKind.ENTRY_KIND_SYMLINK]: 'symlink',
    [EntryKind.ENTRY_KIND_HARDLINK]: 'link',
  };
  const type = kinds[entry.kind];
  if (type === undefined) throw new BbError('INCOMPATIBLE', 'an entry is of a kind that this bb does not know');
  const archived = (stored: Buffer): string => textOf(Buffer.from(joined(nameParts(stored).slice(above))));
  const linkname = type === 'symlink' ? textOf(entry.target) : type === 'link' ? archived(entry.target) : undefined;
  const seconds = entry.mtimeNs / NS_PER_SECOND;
  const fraction = (entry.mtimeNs % NS_PER_SECOND).toString().padStart(9, '0');
  return {
    name: archived(entry.name),
    type,
    mode: entry.mode,
    uid: entry.uid,
    gid: entry.gid,
    size: type === 'file' ? Number(entry.size) : 0,
    mtime: new Date(Number(seconds) * 1000),
    ...(linkname === undefined ? {} : { linkname }),
    pax: entry.mtimeNs < 0n ? {} : { mtime: `${seconds}.${fraction}` },
  };
}

function joined(parts: readonly Buffer[]): Buffer {
  return Buffer.concat(parts.flatMap((part, at) => (at === 0 ? [part] : [Buffer.from('/'), part])));
}

/** A tar archive of this kind names things in UTF-8. */
function textOf(name: Buffer): string {
  const text = utf8Name(name);
  if (text !== undefined) return text;
  throw new BbError('BAD_NAME', `${safeName(name)} is not UTF-8 and cannot be in a tar archive`, {
    hint: 'Write the folder to disk: bb getfile NAME OUT.',
  });
}

async function copy(tar: Readable, stdout: Writable): Promise<void> {
  for await (const bytes of tar) await write(stdout, bytes as Buffer);
}

async function write(sink: Writable, bytes: Buffer): Promise<void> {
  if (!sink.write(bytes)) await once(sink, 'drain');
}

/** Control characters other than tab and line ends, or anything that is not UTF-8 (a cut character at the end is not). */
function isBinary(bytes: Buffer): boolean {
  const text = new TextDecoder('utf-8', { fatal: false }).decode(bytes, { stream: true });
  // A piece of a file may begin in the middle of a character, so a few replacement characters at its start say nothing.
  return /[\p{Cc}\p{Cf}]/u.test(text.replace(/[\t\r\n]/g, '')) || text.slice(3).includes('\ufffd');
}
