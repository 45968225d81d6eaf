// Where an entry of the backup goes below OUT. The daemon is not trusted with that: a name that is absolute, escapes or does
// not lie below what was asked for is refused here as well.

import { BbError } from '../src/core/errors.ts';
import { safeName } from './safe-text.ts';

const SLASH = 0x2f;

/** The components of a stored name. INTEGRITY for a name that could leave a folder. */
export function nameParts(name: Buffer): Buffer[] {
  const parts: Buffer[] = [];
  for (let start = 0; start <= name.length; ) {
    const slash = name.indexOf(SLASH, start);
    const end = slash < 0 ? name.length : slash;
    parts.push(name.subarray(start, end));
    start = end + 1;
  }
  const escapes = parts.some((part) => ['', '.', '..'].includes(part.toString('latin1')) || part.includes(0));
  if (escapes) throw new BbError('INTEGRITY', `the daemon sent a name that could leave the folder: ${safeName(name)}`);
  return parts;
}

/** The components of `name` below `top` (empty = everything is below it). INTEGRITY when it is not below. */
export function partsBelow(name: Buffer, top: Buffer): Buffer[] {
  const parts = nameParts(name);
  if (top.length === 0) return parts;
  const above = nameParts(top);
  if (above.some((part, at) => parts[at]?.equals(part) !== true)) {
    throw new BbError('INTEGRITY', `the daemon sent a name that was not asked for: ${safeName(name)}`);
  }
  return parts.slice(above.length);
}
