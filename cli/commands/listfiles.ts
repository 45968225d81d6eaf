// bb listfiles: the entries at or below a name, in order.

import { formatBytes } from '../../src/core/format-bytes.ts';
import { BarterBackupClientService as Service, EntryKind } from '../../src/gen/clirpc/v1/clirpc.ts';
import type { Entry } from '../../src/gen/clirpc/v1/clirpc.ts';
import type { Context, Options } from '../context.ts';
import type { Result } from '../output.ts';
import { safeName } from '../safe-text.ts';
import { namedBy, nothingThere } from '../stored-name.ts';
import { entryView } from '../views.ts';
import type { View } from '../views.ts';

const LETTERS: Readonly<Record<number, string>> = {
  [EntryKind.ENTRY_KIND_FILE]: '-',
  [EntryKind.ENTRY_KIND_FOLDER]: 'd',
  [EntryKind.ENTRY_KIND_SYMLINK]: 'l',
  [EntryKind.ENTRY_KIND_HARDLINK]: 'h',
};
const PERMISSIONS = ['---', '--x', '-w-', '-wx', 'r--', 'r-x', 'rw-', 'rwx'];
const SIZE_WIDTH = 9;

/** A person reads the lines as they come; only --json gathers them, for its one envelope. */
export async function run(context: Context, args: readonly string[], options: Options): Promise<Result> {
  const { out } = context;
  const client = await context.client();
  const { name } = namedBy(args, options);
  const files: View[] = [];
  let count = 0;
  for await (const { entries } of client.stream(Service.listFiles, { name })) {
    count += entries.length;
    for (const entry of entries) {
      if (out.settings.json) files.push(entryView(entry));
      else out.print(lineOf(entry));
    }
  }
  if (count === 0 && name.length > 0) throw nothingThere(name);
  return { data: { files } };
}

function lineOf(entry: Entry): string {
  const mode = [6, 3, 0].map((shift) => PERMISSIONS[(entry.mode >> shift) & 7]).join('');
  const size = entry.kind === EntryKind.ENTRY_KIND_FILE ? formatBytes(entry.size) : '-';
  const time = new Date(Number(entry.mtimeNs / 1_000_000n)).toISOString().slice(0, 16).replace('T', ' ');
  const target = entry.target.length === 0 ? '' : ` -> ${safeName(entry.target)}`;
  const marks = (entry.marks & 2) !== 0 ? ' (unreadable)' : (entry.marks & 1) !== 0 ? ' (changed while read)' : '';
  const letter = LETTERS[entry.kind] ?? '?';
  return `${letter}${mode}  ${size.padStart(SIZE_WIDTH)}  ${time}  ${safeName(entry.name)}${target}${marks}`;
}
