// What the marks of a stored entry mean for whoever takes it out.

import type { Entry } from '../src/gen/clirpc/v1/clirpc.ts';

const UNREADABLE = 2;

/** It was unreadable from the first time on: a file that was read before keeps the bytes of then, and their hash. */
export function hasNoBytes(entry: Entry): boolean {
  return (entry.marks & UNREADABLE) !== 0 && entry.sha256.length === 0;
}
