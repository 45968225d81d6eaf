// Stored names: relative paths of raw bytes with "/" between components. Every byte but NUL is kept; what is shown to a
// person goes through escapeName (docs/storage-format.md, "Names").

import { BbError } from '../errors.ts';
import { PATH_BYTES } from '../limits.ts';

const SLASH = 0x2f;

/** BAD_NAME unless 1 to 4 096 bytes, relative, without NUL and without empty, "." or ".." components. */
export function validateName(name: Buffer): void {
  const problem = nameProblem(name);
  if (problem !== undefined) throw new BbError('BAD_NAME', problem);
}

export function isName(name: Buffer): boolean {
  return nameProblem(name) === undefined;
}

/** Table order: bytewise, "/" below every other byte, so that a folder's entries follow it at once. Negative: a first. */
export function compareNames(a: Buffer, b: Buffer): number {
  const length = Math.min(a.length, b.length);
  for (let at = 0; at < length; at++) {
    const left = a[at] as number;
    const right = b[at] as number;
    if (left !== right) return left === SLASH ? -1 : right === SLASH ? 1 : left - right;
  }
  return a.length - b.length;
}

/** Bytes that sort as compareNames does: a name has no NUL, so it can stand for "/". */
export function nameKey(name: Buffer): Buffer {
  return Buffer.from(name.map((byte) => (byte === SLASH ? 0 : byte)));
}

/** Whether `name` is `top` or lies below it; an empty `top` is above everything. */
export function isAtOrBelow(name: Buffer, top: Buffer): boolean {
  if (top.length === 0) return true;
  if (name.length < top.length || !name.subarray(0, top.length).equals(top)) return false;
  return name.length === top.length || name[top.length] === SLASH;
}

/**
 * Text for people: printable UTF-8 as it is, a backslash doubled, everything else (control, format and bidi characters,
 * line separators, invalid bytes) as \xNN per byte. Different names give different texts.
 */
export function escapeName(name: Buffer): string {
  let text = '';
  for (let at = 0; at < name.length; ) {
    const character = characterAt(name, at);
    if (character === undefined || /[\p{C}\p{Zl}\p{Zp}]/u.test(character)) {
      const end = at + (character === undefined ? 1 : Buffer.byteLength(character));
      for (; at < end; at++) text += `\\x${(name[at] as number).toString(16).padStart(2, '0')}`;
    } else {
      text += character === '\\' ? '\\\\' : character;
      at += Buffer.byteLength(character);
    }
  }
  return text;
}

function nameProblem(name: Buffer): string | undefined {
  if (name.length === 0) return 'the name is empty';
  if (name.length > PATH_BYTES) return `the name has more than ${PATH_BYTES} bytes`;
  if (name.includes(0)) return 'the name holds a NUL byte';
  if (name[0] === SLASH) return 'the name is absolute';
  for (let start = 0; start <= name.length; ) {
    const slash = name.indexOf(SLASH, start);
    const end = slash < 0 ? name.length : slash;
    const component = name.subarray(start, end).toString('latin1');
    if (component === '' || component === '.' || component === '..') {
      return 'the name holds an empty, "." or ".." component';
    }
    start = end + 1;
  }
  return undefined;
}

/** The UTF-8 character that starts at `at`, or undefined when no valid one does. */
function characterAt(bytes: Buffer, at: number): string | undefined {
  const first = bytes[at] as number;
  const length = first < 0x80 ? 1 : first < 0xc2 ? 0 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : first < 0xf5 ? 4 : 0;
  if (length === 0 || at + length > bytes.length) return undefined;
  const slice = bytes.subarray(at, at + length);
  const character = slice.toString('utf8');
  return Buffer.from(character, 'utf8').equals(slice) ? character : undefined;
}
