// Valid protobuf with one thing wrong. Random bytes seldom pass the first length of a message; these do, and reach the checks
// behind it: extreme numbers, lengths off by one, fields twice or a thousand times, other wire types, groups, nesting.

import type { Dice } from './dice.ts';
import { EXTREMES, INPUT_MAX_BYTES, mutateBytes } from './mutate-bytes.ts';

const VARINT = 0;
const FIXED64 = 1;
const BYTES = 2;
const GROUP = 3;
const FIXED32 = 5;

type Field = { readonly number: number; readonly wire: number; readonly value: bigint | Buffer };

/** One field of the message, or of a message in it, changed; now and then plain changes of bytes instead. */
export function mutateProtobuf(bytes: Buffer, dice: Dice, other: Buffer): Buffer {
  const fields = fieldsOf(bytes);
  if (fields === undefined || dice.once(5)) return mutateBytes(bytes, dice, other);
  return changed(fields, dice, fieldsOf(other) ?? [], 0).subarray(0, INPUT_MAX_BYTES);
}

function changed(fields: readonly Field[], dice: Dice, others: readonly Field[], depth: number): Buffer {
  const at = dice.below(fields.length + 1);
  const field = fields[at];
  if (field === undefined) return Buffer.concat([bytesOf(fields), addition(dice)]);
  const inner = Buffer.isBuffer(field.value) && depth < 3 ? fieldsOf(field.value) : undefined;
  if (inner !== undefined && inner.length > 0 && dice.once(2)) {
    const value = changed(inner, dice, others, depth + 1);
    return bytesOf(fields.with(at, { ...field, value }));
  }
  return around(fields, at, dice.pick(CHANGES)(field, dice, others));
}

type Change = (field: Field, dice: Dice, others: readonly Field[]) => Buffer;

const CHANGES: readonly Change[] = [
  (field, dice) => fieldBytes({ ...field, value: otherValue(field.value, dice) }),
  (field, dice) => fieldBytes({ ...field, value: otherValue(field.value, dice) }),
  (field, dice) => fieldBytes({ ...field, value: otherValue(field.value, dice) }),
  () => Buffer.alloc(0),
  (field, dice) => Buffer.concat([fieldBytes(field), fieldBytes({ ...field, value: otherValue(field.value, dice) })]),
  (field, dice) => many(fieldBytes(field), seldom(dice, [2, 5, 17, 65], [257, 4095, 4096, 4097])),
  (field, dice) => fieldBytes({ ...field, number: dice.pick([1, 2, 3, 4, 5, 6, 7, 8, 15, 16, 2047, 0x1fff_ffff, 0]) }),
  (field, dice) => rawTag(field.number, dice.below(8), valueBytes(field.value)),
  (field, dice) => nested(field.number, seldom(dice, [2, 10, 40], [100, 3000])),
  (field, dice) => Buffer.concat([fieldBytes(field), group(field.number, seldom(dice, [1, 2, 40], [100, 5000]), dice)]),
  (field, dice) => overlong(field, dice),
  (field, dice, others) => (others.length === 0 ? fieldBytes(field) : fieldBytes(dice.pick(others))),
  (field, dice) => fieldBytes(field).subarray(0, dice.below(fieldBytes(field).length)),
];

function otherValue(value: bigint | Buffer, dice: Dice): bigint | Buffer {
  if (!Buffer.isBuffer(value)) return dice.once(4) ? value + BigInt(dice.below(3)) - 1n : dice.pick(EXTREMES);
  switch (dice.below(6)) {
    case 0:
      return Buffer.alloc(0);
    case 1:
      return value.subarray(0, Math.max(0, value.length - 1));
    case 2:
      return Buffer.concat([value, dice.bytes(1)]);
    case 3:
      return dice.bytes(value.length);
    case 4:
      return Buffer.alloc(seldom(dice, [1, 32, 64, 65], [4096, 65_536, 65_537]), dice.below(256));
    default:
      return mutateBytes(value, dice, value);
  }
}

/** What costs time to make and to read comes seldom, so that the rest comes often. */
function seldom(dice: Dice, small: readonly number[], large: readonly number[]): number {
  return dice.pick(dice.once(30) ? large : small);
}

function addition(dice: Dice): Buffer {
  switch (dice.below(4)) {
    case 0:
      return dice.bytes(1 + dice.below(8));
    case 1:
      return group(1 + dice.below(20), seldom(dice, [1, 40], [100, 5000]), dice);
    case 2:
      return fieldBytes({ number: 100 + dice.below(1000), wire: VARINT, value: dice.pick(EXTREMES) });
    default:
      return fieldBytes({ number: 1 + dice.below(16), wire: BYTES, value: dice.bytes(dice.below(80)) });
  }
}

function many(bytes: Buffer, count: number): Buffer {
  const times = Math.min(count, Math.floor(INPUT_MAX_BYTES / Math.max(1, bytes.length)));
  return Buffer.concat(Array.from({ length: times }, () => bytes));
}

/** A field that holds itself, `depth` times. */
function nested(number: number, depth: number): Buffer {
  const heads: Buffer[] = [];
  let length = 0;
  for (let level = 0; level < depth; level++) {
    heads.push(Buffer.concat([varint(BigInt(number * 8 + BYTES)), varint(BigInt(length))]));
    length += heads.at(-1)?.length ?? 0;
  }
  return Buffer.concat(heads.reverse());
}

/** Groups in each other, closed or not. */
function group(number: number, depth: number, dice: Dice): Buffer {
  const open = many(varint(BigInt(number * 8 + GROUP)), depth);
  return dice.once(2) ? open : Buffer.concat([open, many(varint(BigInt(number * 8 + GROUP + 1)), depth)]);
}

/** The same number with more bytes than it needs, up to one too many. */
function overlong(field: Field, dice: Dice): Buffer {
  const value = Buffer.isBuffer(field.value) ? BigInt(field.value.length) : field.value;
  const short = varint(value);
  const padded = Buffer.concat([short, Buffer.alloc(dice.below(11))]);
  for (let at = short.length - 1; at < padded.length - 1; at++) padded[at] = (padded[at] ?? 0) | 0x80;
  const tail = Buffer.isBuffer(field.value) ? field.value : Buffer.alloc(0);
  return Buffer.concat([
    varint(BigInt(field.number * 8 + (Buffer.isBuffer(field.value) ? BYTES : VARINT))),
    padded,
    tail,
  ]);
}

function around(fields: readonly Field[], at: number, bytes: Buffer): Buffer {
  return Buffer.concat([bytesOf(fields.slice(0, at)), bytes, bytesOf(fields.slice(at + 1))]);
}

/** The fields of a message, or undefined when these bytes are none. */
function fieldsOf(bytes: Buffer): Field[] | undefined {
  const fields: Field[] = [];
  for (let at = 0; at < bytes.length; ) {
    const tag = readVarint(bytes, at);
    if (tag === undefined || tag.value >= 2n ** 32n || tag.value < 8n) return undefined;
    const number = Number(tag.value >> 3n);
    const wire = Number(tag.value & 7n);
    at = tag.end;
    if (wire === VARINT) {
      const value = readVarint(bytes, at);
      if (value === undefined) return undefined;
      fields.push({ number, wire, value: value.value });
      at = value.end;
    } else if (wire === BYTES) {
      const length = readVarint(bytes, at);
      if (length === undefined || length.value > BigInt(bytes.length - length.end)) return undefined;
      fields.push({ number, wire, value: bytes.subarray(length.end, length.end + Number(length.value)) });
      at = length.end + Number(length.value);
    } else {
      return undefined;
    }
  }
  return fields;
}

function readVarint(bytes: Buffer, from: number): { readonly value: bigint; readonly end: number } | undefined {
  let value = 0n;
  for (let at = from; at < Math.min(bytes.length, from + 10); at++) {
    const byte = bytes[at] ?? 0;
    value |= BigInt(byte & 0x7f) << BigInt(7 * (at - from));
    if (byte < 0x80) return { value, end: at + 1 };
  }
  return undefined;
}

function varint(value: bigint): Buffer {
  const out: number[] = [];
  let rest = BigInt.asUintN(64, value);
  for (; rest > 0x7fn; rest >>= 7n) out.push(Number(rest & 0x7fn) | 0x80);
  return Buffer.from([...out, Number(rest)]);
}

function bytesOf(fields: readonly Field[]): Buffer {
  return Buffer.concat(fields.map(fieldBytes));
}

function fieldBytes({ number, wire, value }: Field): Buffer {
  if (!Buffer.isBuffer(value)) return rawTag(number, wire, varint(value));
  return rawTag(number, BYTES, Buffer.concat([varint(BigInt(value.length)), value]));
}

function valueBytes(value: bigint | Buffer): Buffer {
  return Buffer.isBuffer(value) ? Buffer.concat([varint(BigInt(value.length)), value]) : varint(value);
}

function rawTag(number: number, wire: number, rest: Buffer): Buffer {
  const fixed = wire === FIXED64 ? Buffer.alloc(8, 1) : wire === FIXED32 ? Buffer.alloc(4, 1) : rest;
  return Buffer.concat([varint(BigInt(number) * 8n + BigInt(wire)), fixed]);
}
