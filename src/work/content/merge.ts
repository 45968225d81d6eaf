// Merges the old file table with what a change brings in; both come sorted, so nothing is held but one item of each.

import { NAMESPACE } from '../../core/content/entry.ts';
import type { Entry } from '../../core/content/entry.ts';
import { compareEntries } from '../../core/content/file-table.ts';
import { isAtOrBelow } from '../../core/content/path.ts';
import type { NewItem, WalkedItem } from './new-items.ts';

export type Merged =
  | { readonly kind: 'skipped' }
  /** Goes into the new table; `old` is the entry of this name so far. */
  | { readonly kind: 'new'; readonly item: NewItem; readonly old: Entry | undefined }
  | { readonly kind: 'kept'; readonly old: Entry }
  | { readonly kind: 'removed'; readonly old: Entry };

/** Old user entries at or below `name` (empty: all) are replaced by `fresh`; everything else is kept. */
export async function* mergeTables(
  old: AsyncIterator<Entry>,
  fresh: AsyncIterator<WalkedItem>,
  name: Buffer,
): AsyncGenerator<Merged> {
  let left = await nextOf(old);
  let right = await nextOf(fresh);
  while (left !== undefined || right !== undefined) {
    if (right === 'skipped') {
      yield { kind: 'skipped' };
      right = await nextOf(fresh);
    } else if (left !== undefined && (right === undefined || compareEntries(left, right.entry) < 0)) {
      const isReplaced = left.namespace === NAMESPACE.USER && isAtOrBelow(left.path, name);
      yield { kind: isReplaced ? 'removed' : 'kept', old: left };
      left = await nextOf(old);
    } else if (right !== undefined) {
      const same = left !== undefined && compareEntries(left, right.entry) === 0 ? left : undefined;
      yield { kind: 'new', item: right, old: same };
      if (same !== undefined) left = await nextOf(old);
      right = await nextOf(fresh);
    }
  }
}

async function nextOf<T>(items: AsyncIterator<T>): Promise<T | undefined> {
  const next = await items.next();
  return next.done === true ? undefined : next.value;
}
