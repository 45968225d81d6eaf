// Writes what GetFile streams to OUT: a folder into the folder OUT, a file to the file OUT or into the folder OUT.

import { rmdir, stat } from 'node:fs/promises';
import { basename, dirname } from 'node:path';
import { BbError } from '../src/core/errors.ts';
import { formatBytes } from '../src/core/format-bytes.ts';
import { EntryKind } from '../src/gen/clirpc/v1/clirpc.ts';
import type { Entry, GetFileResponse } from '../src/gen/clirpc/v1/clirpc.ts';
import type { Context } from './context.ts';
import { nameParts, partsBelow } from './entry-path.ts';
import { cliError } from './errors.ts';
import { Extractor } from './extractor.ts';
import { formatCount } from './format.ts';
import type { Result } from './output.ts';
import { SafeFolder } from './safe-folder.ts';
import { nothingThere } from './stored-name.ts';
import { makeFolders } from './make-folders.ts';

export type Destination = {
  /** What was asked for; empty = everything. */
  readonly name: Buffer;
  readonly out: string;
  readonly force: boolean;
  /** Go on where an earlier run was broken off. */
  readonly goOn?: boolean;
};

/** PARTIAL as failure when entries could not be written. Throws EXISTS, NO_SPACE, INTEGRITY and what the stream throws. */
export async function extractTo(
  context: Context,
  items: AsyncIterable<GetFileResponse>,
  destination: Destination,
): Promise<Result> {
  let extractor: Extractor | undefined;
  const made = { folder: false };
  try {
    for await (const { entry, data } of items) {
      if (entry !== undefined) {
        extractor ??= await openExtractor(context, destination, entry, made);
        await extractor.entry(entry);
      } else if (data !== undefined && extractor !== undefined) {
        await extractor.data(data);
      }
    }
    if (extractor === undefined && destination.name.length > 0) throw nothingThere(destination.name);
    await extractor?.end();
  } catch (error) {
    await extractor?.abandon();
    // What was written stays, so that the folder is not empty then and is kept as well.
    if (made.folder) await rmdir(destination.out).catch(() => undefined);
    throw error;
  }
  if (extractor === undefined) {
    const { out } = destination;
    return { data: { out, ...NOTHING }, text: `Nothing was written to ${out}: the backup is empty.` };
  }
  return resultOf(destination, extractor.counts);
}

const NOTHING: Extractor['counts'] = { files: 0, folders: 0, links: 0, bytes: 0, missing: 0 };

/** The first entry tells whether a folder or a single file comes. */
async function openExtractor(
  context: Context,
  destination: Destination,
  first: Entry,
  made: { folder: boolean },
): Promise<Extractor> {
  const { name, out, force, goOn = false } = destination;
  const warn = (text: string): void => context.out.warn(text);
  const single = name.length > 0 && first.name.equals(name) && first.kind !== EntryKind.ENTRY_KIND_FOLDER;
  if (!single) {
    made.folder = await makeFolder(out);
    const place = (stored: Buffer): Buffer[] => partsBelow(stored, name);
    return new Extractor(await SafeFolder.open(out), made.folder, { place, force, goOn, warn });
  }
  const isInside = await isFolder(out);
  const last = isInside ? (nameParts(name).at(-1) as Buffer) : Buffer.from(basename(out));
  const place = (stored: Buffer): Buffer[] => {
    if (!stored.equals(name)) throw new BbError('INTEGRITY', 'the daemon sent more than one file');
    return [last];
  };
  return new Extractor(await SafeFolder.open(isInside ? out : dirname(out)), false, { place, force, goOn, warn });
}

/** True when the folder is new. */
async function makeFolder(path: string): Promise<boolean> {
  try {
    return await makeFolders(path, 0o777);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'EEXIST' || code === 'ENOTDIR') {
      throw new BbError('EXISTS', `${path} is a file`, { hint: 'Name a folder as OUT.' });
    }
    throw cliError(error);
  }
}

async function isFolder(path: string): Promise<boolean> {
  return stat(path).then(
    (found) => found.isDirectory(),
    () => false,
  );
}

function resultOf({ out }: Destination, counts: Extractor['counts']): Result {
  const data = { out, ...counts };
  const text = `${formatCount(counts.files, 'file', 'files')}, ${formatBytes(counts.bytes)} written to ${out}`;
  if (counts.missing === 0) return { data, text };
  const message = `${formatCount(counts.missing, 'entry is', 'entries are')} not written`;
  return { data, text, failure: new BbError('PARTIAL', message, { hint: 'See the warnings above.' }) };
}
