// Changes of a text that people or files give: characters that read as others, names with a meaning to JavaScript or to a file
// system, numbers at their limits, and bytes that are no text at all.

import type { Dice } from './dice.ts';
import { INPUT_MAX_BYTES, mutateBytes } from './mutate-bytes.ts';

const WORDS: readonly string[] = [
  ...['', ' ', '  ', '\t', '\n', '\r\n', '\0', '\u001b[2J', '\u007f', '\u0085', '\u00a0', '\u200b', '\u2028', '\u202e'],
  ...['\ufeff', '\ufffd', '\ud800', '\u{1f4be}', '\u{e0001}', '\uffff', 'e\u0301', '\u00e9', '\u0131', '\u212a', 'ß'],
  ...[
    '.',
    '..',
    '/',
    '//',
    '/../',
    '\\',
    '\\x41',
    '"',
    "'",
    '`',
    '#',
    '=',
    ':',
    ',',
    '{',
    '}',
    '[',
    ']',
    '[[',
    '$',
    '%',
  ],
  ...['__proto__', 'constructor', 'prototype', 'toString', 'null', 'undefined', 'true', 'NaN', 'Infinity', '-0'],
  ...['0', '-1', '1e308', '1e309', '9007199254740991', '9007199254740993', '18446744073709551616', '0x10', '1_000'],
  ...['999999999999999999999999', '0.1', '.5', '5.', '٣', '²', 'GiB', 'ms', 'bb:', 'bb://', '.onion', 'a'.repeat(300)],
];

export function mutateText(bytes: Buffer, dice: Dice, other: Buffer): Buffer {
  if (dice.once(4)) return mutateBytes(bytes, dice, other);
  let text = bytes.toString('utf8');
  for (let left = 1 + dice.below(3); left > 0; left--) {
    const at = dice.below(text.length + 1);
    const gone = dice.once(2) ? 0 : dice.below(6);
    text = text.slice(0, at) + wordOf(text, dice, other) + text.slice(at + gone);
  }
  return Buffer.from(text, 'utf8').subarray(0, INPUT_MAX_BYTES);
}

function wordOf(text: string, dice: Dice, other: Buffer): string {
  switch (dice.below(6)) {
    case 0: {
      const from = dice.below(text.length + 1);
      return text.slice(from, from + dice.below(20)).repeat(1 + dice.below(30));
    }
    case 1: {
      const from = dice.below(other.length + 1);
      return other.toString('utf8', from, from + dice.below(20));
    }
    case 2:
      return dice.once(2) ? text.toUpperCase().slice(0, 20) : String.fromCharCode(dice.below(0x1_0000));
    default:
      return dice.pick(WORDS);
  }
}
