// Changes of valid bytes that a careless parser trips over: flipped bits, cut ends, blocks moved, repeated or taken from another
// valid input, and the numbers at which integers change their size or sign.

import type { Dice } from './dice.ts';

/** No input grows beyond this: the edges refuse larger messages before any parser sees them. */
export const INPUT_MAX_BYTES = 1 << 18;
const REPEATS_MAX = 64;

/** Values at which widths, signs and safe integers end. */
export const EXTREMES: readonly bigint[] = [
  0n,
  1n,
  0x7fn,
  0x80n,
  0xffn,
  0xffffn,
  0x1_0000n,
  131_071n,
  131_072n,
  131_073n,
  0x7fff_ffffn,
  0x8000_0000n,
  0xffff_ffffn,
  0x1_0000_0000n,
  2n ** 53n - 1n,
  2n ** 53n,
  2n ** 53n + 1n,
  2n ** 63n - 1n,
  2n ** 63n,
  2n ** 64n - 1n,
];

type Change = (bytes: Buffer, dice: Dice, other: Buffer) => Buffer;

const CHANGES: readonly Change[] = [
  (bytes, dice) => change(bytes, dice, (value) => value ^ (1 << dice.below(8))),
  (bytes, dice) => change(bytes, dice, () => dice.below(256)),
  (bytes, dice) => change(bytes, dice, () => dice.pick([0, 1, 0x7f, 0x80, 0xff])),
  (bytes, dice) => bytes.subarray(0, dice.below(bytes.length + 1)),
  (bytes, dice) => bytes.subarray(dice.below(bytes.length + 1)),
  (bytes, dice) => splice(bytes, dice, Buffer.alloc(0)),
  (bytes, dice) => splice(bytes, dice, dice.bytes(1 + dice.below(16))),
  (bytes, dice) => splice(bytes, dice, block(bytes, dice)),
  (bytes, dice, other) => splice(bytes, dice, block(other, dice)),
  (bytes, dice) => repeat(bytes, dice),
  (bytes, dice) => overwrite(bytes, dice, extreme(dice)),
  (bytes, dice) => overwrite(bytes, dice, extreme(dice)),
  (bytes, dice, other) => Buffer.concat([bytes, block(other, dice)]),
];

/** 1 to 4 changes in a row; `other` is a second valid input to take blocks from. */
export function mutateBytes(bytes: Buffer, dice: Dice, other: Buffer): Buffer {
  let out = bytes;
  for (let left = 1 + dice.below(4); left > 0; left--) out = dice.pick(CHANGES)(out, dice, other);
  return out.subarray(0, INPUT_MAX_BYTES);
}

function change(bytes: Buffer, dice: Dice, to: (value: number) => number): Buffer {
  if (bytes.length === 0) return bytes;
  const out = Buffer.from(bytes);
  const at = placeIn(out, dice);
  out[at] = to(out[at] ?? 0);
  return out;
}

/** Every other change is near an end: there the lengths and counts are, and in a large cell chance would never meet them. */
function placeIn(bytes: Buffer, dice: Dice): number {
  const near = Math.min(bytes.length, 64);
  const kind = dice.below(4);
  if (kind < 2) return dice.below(bytes.length);
  return kind === 2 ? dice.below(near) : bytes.length - 1 - dice.below(near);
}

function block(bytes: Buffer, dice: Dice): Buffer {
  const from = dice.below(bytes.length + 1);
  return bytes.subarray(from, from + dice.below(Math.min(256, bytes.length - from) + 1));
}

/** Some bytes in place of others. */
function splice(bytes: Buffer, dice: Dice, put: Buffer): Buffer {
  const at = bytes.length === 0 ? 0 : placeIn(bytes, dice);
  const gone = dice.below(Math.min(32, bytes.length - at) + 1);
  return Buffer.concat([bytes.subarray(0, at), put, bytes.subarray(at + gone)]);
}

function repeat(bytes: Buffer, dice: Dice): Buffer {
  const part = block(bytes, dice);
  const many = Math.min(1 + dice.below(REPEATS_MAX), Math.floor(INPUT_MAX_BYTES / Math.max(1, part.length)));
  return splice(bytes, dice, Buffer.concat(Array.from({ length: many }, () => part)));
}

function overwrite(bytes: Buffer, dice: Dice, put: Buffer): Buffer {
  if (bytes.length === 0) return put;
  const out = Buffer.from(bytes);
  put.copy(out, placeIn(out, dice));
  return out;
}

/** An extreme number as 1 to 8 bytes, in either order. */
function extreme(dice: Dice): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64BE(dice.pick(EXTREMES));
  const cut = bytes.subarray(8 - dice.pick([1, 2, 3, 4, 8]));
  return dice.once(3) ? Buffer.from(cut).reverse() : cut;
}
