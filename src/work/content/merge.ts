// Merges the old file table with what a change brings in; both come sorted, so nothing is held but one item of each.

import { NAMESPACE } from '../../core/content/entry.ts';
import type { Entry } from '../../core/content/entry.ts';
import { compareEntries } from '../../core/content/file-table.ts';
import { compareNames, isAtOrBelow } from '../../core/content/path.ts';
import type { LeftOut, NewItem, WalkedItem } from './new-items.ts';

export type Merged =
  | { readonly kind: 'skipped'; readonly name: Buffer }
  /** Goes into the new table; `old` is the entry of this name so far. */
  | { readonly kind: 'new'; readonly item: NewItem; readonly old: Entry | undefined }
  | { readonly kind: 'kept'; readonly old: Entry }
  | { readonly kind: 'removed'; readonly old: Entry };

/**
 * Old user entries at or below `name` (empty: all) are replaced by `fresh`; everything else is kept, and so is what lies where
 * nothing could be seen: a folder that cannot be listed is not an empty one.
 */
export async function* mergeTables(
  old: AsyncIterator<Entry>,
  fresh: AsyncIterator<WalkedItem>,
  name: Buffer,
): AsyncGenerator<Merged> {
  let left = await nextOf(old);
  let right = await nextOf(fresh);
  for (;;) {
    if (left !== undefined && (right === undefined || isBefore(left, right))) {
      yield { kind: isUserAt(left, name) ? 'removed' : 'kept', old: left };
      left = await nextOf(old);
    } else if (right === undefined) {
      return;
    } else if (right.entry === undefined) {
      yield { kind: 'skipped', name: right.name };
      for (; right.isUnseen && left !== undefined && isUserAt(left, right.name); left = await nextOf(old)) {
        yield { kind: 'kept', old: left };
      }
      right = await nextOf(fresh);
    } else {
      const same = left !== undefined && compareEntries(left, right.entry) === 0 ? left : undefined;
      yield { kind: 'new', item: right, old: same };
      if (same !== undefined) left = await nextOf(old);
      right = await nextOf(fresh);
    }
  }
}

function isUserAt(old: Entry, name: Buffer): boolean {
  return old.namespace === NAMESPACE.USER && isAtOrBelow(old.path, name);
}

function isBefore(old: Entry, item: NewItem | LeftOut): boolean {
  if (item.entry !== undefined) return compareEntries(old, item.entry) < 0;
  return old.namespace === NAMESPACE.USER && compareNames(old.path, item.name) < 0;
}

async function nextOf<T>(items: AsyncIterator<T>): Promise<T | undefined> {
  const next = await items.next();
  return next.done === true ? undefined : next.value;
}
