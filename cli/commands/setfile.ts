// bb setfile: sets a name to what is on disk now. The daemon reads the path itself; only --stdin streams bytes.

import { basename, resolve } from 'node:path';
import type { ClientDuplexStream } from '@grpc/grpc-js';
import { BbError } from '../../src/core/errors.ts';
import { LOCAL_DATA_BYTES } from '../../src/core/limits.ts';
import { formatBytes } from '../../src/core/format-bytes.ts';
import { BarterBackupClientService as Service } from '../../src/gen/clirpc/v1/clirpc.ts';
import type { SetFileRequest, SetFileUpdate } from '../../src/gen/clirpc/v1/clirpc.ts';
import type { Context, Options } from '../context.ts';
import { flagOption, textOption } from '../context.ts';
import { formatCount } from '../format.ts';
import type { Result } from '../output.ts';
import { safeName } from '../safe-text.ts';
import { storedName } from '../stored-name.ts';
import { nameView, revisionView } from '../views.ts';

const STREAMED_MODE = 0o600;
/** All that the daemon names are in the envelope. */
const SKIPPED_SHOWN = 3;

type Call = ClientDuplexStream<SetFileRequest, SetFileUpdate>;

export async function run(context: Context, [path]: readonly string[], options: Options): Promise<Result> {
  const fromStream = flagOption(options, 'stdin');
  if (fromStream === (path !== undefined)) throw new BbError('USAGE', 'give either a path or --stdin');
  // A script's variable that is not set: resolved, it would be the folder that bb runs in.
  if (path === '')
    throw new BbError('USAGE', 'the path is empty', { hint: 'The folder that you are in is called ".".' });
  const absolute = path === undefined ? '' : resolve(path);
  const name = storedName(textOption(options, 'as') ?? basename(absolute));
  if (name.length === 0) throw new BbError('USAGE', 'it needs a name', { hint: 'Use --as NAME.' });
  const { call, received } = (await context.client()).duplex(Service.setFile);
  const first = { file: { name, data: Buffer.alloc(0) }, path: Buffer.from(absolute, 'utf8'), fromStream };
  call.write({ ...first, mode: fromStream ? STREAMED_MODE : 0 });
  if (!fromStream) {
    call.end();
    return resultOf(context, name, await lastUpdate(context, received));
  }
  const [last] = await Promise.all([lastUpdate(context, received), sendInput(call)]).finally(() => {
    // Nobody reads on when the daemon said no; an open input would keep this process.
    process.stdin.destroy();
  });
  return resultOf(context, name, last);
}

/** Copies standard input into the call, no faster than the daemon takes it. Ends when the call does. */
async function sendInput(call: Call): Promise<void> {
  const closed = new Promise((resolve) => call.once('close', resolve));
  for await (const read of process.stdin as AsyncIterable<Buffer>) {
    for (let from = 0; from < read.length; from += LOCAL_DATA_BYTES) {
      if (call.destroyed) return;
      const file = { name: Buffer.alloc(0), data: read.subarray(from, from + LOCAL_DATA_BYTES) };
      const request = { file, path: Buffer.alloc(0), fromStream: false, mode: 0 };
      if (!call.write(request)) {
        await Promise.race([new Promise((resolve) => call.once('drain', resolve)), closed]);
      }
    }
  }
  call.end();
}

async function lastUpdate(context: Context, received: AsyncIterable<SetFileUpdate>): Promise<SetFileUpdate> {
  let last: SetFileUpdate | undefined;
  for await (const update of received) {
    if (update.progress !== undefined) context.out.progress(update.progress);
    last = update;
  }
  if (last === undefined) throw new BbError('INTERNAL', 'the daemon gave no answer');
  return last;
}

function resultOf({ out }: Context, name: Buffer, last: SetFileUpdate): Result {
  const { addedFiles, removedFiles, skippedFiles, skippedNames, unchanged, revision } = last;
  const isAllSkipped = skippedNames.some((skipped) => skipped.equals(name));
  if (skippedFiles > 0n && !isAllSkipped) out.warn(skippedText(last));
  const changed = `${formatCount(addedFiles, 'entry', 'entries')} new or changed, ${removedFiles} removed`;
  const size = revision === undefined ? '' : `; ${formatCount(revision.fileCount, 'entry', 'entries')}, `;
  const total = revision === undefined ? '' : `${formatBytes(revision.fileBytes)} in revision ${revision.sequence}`;
  const data = {
    ...nameView(name),
    revision: revisionView(revision),
    added_files: Number(addedFiles),
    removed_files: Number(removedFiles),
    skipped_files: Number(skippedFiles),
    skipped: skippedNames.map(nameView),
    unchanged,
  };
  if (isAllSkipped) return { data, failure: unread(name) };
  return { data, text: `${safeName(name)}: ${unchanged ? 'unchanged' : changed}${size}${total}` };
}

/** What was to be set is itself what was skipped. */
function unread(name: Buffer): BbError {
  const hint = 'Make it readable, then run bb setfile again.';
  return new BbError('PARTIAL', `${safeName(name)} could not be read, so nothing new was backed up`, { hint });
}

function skippedText({ skippedFiles, skippedNames }: SetFileUpdate): string {
  const shown = skippedNames.slice(0, SKIPPED_SHOWN).map(safeName);
  const more = skippedFiles - BigInt(shown.length);
  const count = formatCount(skippedFiles, 'entry was', 'entries were');
  return `${count} skipped (sockets, devices or unreadable): ${shown.join(', ')}${more > 0n ? ` and ${more} more` : ''}`;
}
