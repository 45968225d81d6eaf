// How many storers have proved each data cell of the newest revision, those that are a revision or more behind included: a
// file that did not change since is at them, too (docs/protocol.md, "Replicas").

/** Cells of the newest revision, heads counted, that a storer's revision has too. */
type Run = { readonly cell: number; readonly cells: number };

const MOST = 255;

/**
 * One number per data cell in blob order, 255 = so many or more. `first`: where data cells begin in the blob; `proved`: for
 * each storer that counts all (it proved this very revision), or what of it its revision has.
 */
export function copiesOfCells(first: number, cells: number, proved: readonly ('all' | readonly Run[])[]): Buffer {
  const copies = Buffer.alloc(cells);
  const add = (from: number, to: number): void => {
    for (let at = from; at < to; at += 1) copies[at] = Math.min(MOST, (copies[at] ?? 0) + 1);
  };
  for (const part of proved) {
    if (part === 'all') add(0, cells);
    else
      for (const run of part) {
        add(Math.max(0, run.cell - first), Math.min(cells, run.cell + run.cells - first));
      }
  }
  return copies;
}

/** True if no file can have fewer copies than another. */
export function isEven(copies: Buffer): boolean {
  return copies.every((count) => count === copies[0]);
}
