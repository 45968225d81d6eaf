// Joins the file table of our line with that of a fork, entry by entry (docs/protocol.md, "Lineage").
// Invariant: every entry of the line stays as it is, and no bytes of the fork are left out: what is in the way of an entry of
// the line goes aside under another name. Nothing is ever taken away.

import { ENTRY_KIND, MARK, NAMESPACE } from '../../core/content/entry.ts';
import type { Entry } from '../../core/content/entry.ts';
import { compareEntries } from '../../core/content/file-table.ts';
import { isAtOrBelow } from '../../core/content/path.ts';

export type Joined =
  | { readonly from: 'line'; readonly entry: Entry }
  /** The line has nothing of this name, and nothing in its way. */
  | { readonly from: 'fork'; readonly entry: Entry }
  /** `top` is the name, its own or one above it, that the line has for something else. */
  | { readonly from: 'aside'; readonly entry: Entry; readonly top: Buffer };

/** Both tables come in table order; so do entries of the line and of the fork, but for those that go aside. */
export async function* joinFork(line: AsyncIterator<Entry>, fork: AsyncIterator<Entry>): AsyncGenerator<Joined> {
  let left = await nextOf(line);
  let right = await nextOf(fork);
  /** Names below these are in the way: the last entry of the line that is no folder, the last of the fork that went aside. */
  const tops: { leaf: Buffer | undefined; aside: Buffer | undefined } = { leaf: undefined, aside: undefined };
  while (left !== undefined || right !== undefined) {
    const order = left === undefined ? 1 : right === undefined ? -1 : compareEntries(left, right);
    if (left !== undefined && order <= 0) {
      yield { from: 'line', entry: left };
      if (left.kind !== ENTRY_KIND.FOLDER) tops.leaf = left.path;
      if (order === 0 && right !== undefined) {
        if (!isSame(left, right)) {
          tops.aside = right.path;
          yield { from: 'aside', entry: right, top: right.path };
        }
        right = await nextOf(fork);
      }
      left = await nextOf(line);
    } else if (right !== undefined) {
      const top = topInTheWay(right, left, [tops.aside, tops.leaf]);
      if (top === undefined) yield { from: 'fork', entry: right };
      else yield { from: 'aside', entry: right, top };
      right = await nextOf(fork);
    }
  }
}

/** Nothing of the fork would be saved beside the entry of the line. System records are the line's. */
export function isSame(line: Entry, fork: Entry): boolean {
  if (line.namespace !== NAMESPACE.USER) return true;
  if (isEmptyMark(fork)) return true;
  if (line.kind !== fork.kind) return false;
  if (line.kind === ENTRY_KIND.FOLDER) return true;
  return (
    line.size === fork.size &&
    line.sha256.equals(fork.sha256) &&
    line.chunkIds.equals(fork.chunkIds) &&
    line.target.equals(fork.target)
  );
}

/** It could not be read when it was to be stored: there are no bytes of it. */
function isEmptyMark(entry: Entry): boolean {
  return (entry.marks & MARK.UNREADABLE) !== 0 && entry.sha256.length === 0;
}

/** The line has no entry of this name, but may have a file above it, or something below it. `next`: of the line. */
function topInTheWay(
  entry: Entry,
  next: Entry | undefined,
  above: readonly (Buffer | undefined)[],
): Buffer | undefined {
  if (entry.namespace !== NAMESPACE.USER) return undefined;
  const top = above.find((name) => name !== undefined && isAtOrBelow(entry.path, name));
  if (top !== undefined) return top;
  const isOverFolder = next?.namespace === entry.namespace && isAtOrBelow(next.path, entry.path);
  return entry.kind !== ENTRY_KIND.FOLDER && isOverFolder ? entry.path : undefined;
}

async function nextOf(items: AsyncIterator<Entry>): Promise<Entry | undefined> {
  const next = await items.next();
  return next.done === true ? undefined : next.value;
}
