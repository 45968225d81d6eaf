// protobufjs reads the .proto files themselves and so judges our generated code: every message of every package, with every
// field set, must survive protobufjs -> ours -> protobufjs, and our bytes must be the same.

import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import protobuf from 'protobufjs';
import * as bbrpc from '../../src/gen/bbrpc/v1/bbrpc.ts';
import type { MessageFns } from '../../src/gen/bbrpc/v1/bbrpc.ts';
import * as clirpc from '../../src/gen/clirpc/v1/clirpc.ts';
import * as storedpb from '../../src/gen/storedpb/v1/stored.ts';

const PROTO = join(import.meta.dirname, '..', '..', 'proto');

const PACKAGES = [
  { name: 'bbrpc.v1', file: 'bbrpc/v1/bbrpc.proto', ours: bbrpc, messages: 30 },
  { name: 'clirpc.v1', file: 'clirpc/v1/clirpc.proto', ours: clirpc, messages: 40 },
  { name: 'storedpb.v1', file: 'storedpb/v1/stored.proto', ours: storedpb, messages: 6 },
];

const VIEW = { longs: String, bytes: String, enums: Number } as const;

for (const { name, file, ours, messages } of PACKAGES) {
  test(`${name}: each message is what an independent decoder reads`, async () => {
    const root = await protobuf.load(join(PROTO, file));
    root.resolveAll();
    const namespace = root.lookup(name);
    assert.ok(namespace instanceof protobuf.Namespace);
    const types = namespace.nestedArray.filter((nested) => nested instanceof protobuf.Type);
    assert.ok(types.length >= messages, `only ${types.length} messages were found`);
    for (const type of types) {
      const codec = (ours as unknown as Record<string, MessageFns<unknown> | undefined>)[type.name];
      assert.ok(codec, `${type.name} was not generated`);
      for (const pick of picks(type)) {
        const theirBytes = type.encode(type.fromObject(filled(type, pick, 0))).finish();
        const ourBytes = codec.encode(codec.decode(theirBytes)).finish();
        assert.deepEqual(
          type.toObject(type.decode(ourBytes), VIEW),
          type.toObject(type.decode(theirBytes), VIEW),
          type.name,
        );
        assert.deepEqual(Buffer.from(ourBytes), Buffer.from(theirBytes), type.name);
      }
      assert.equal(codec.encode(codec.decode(new Uint8Array(0))).finish().length, 0, `${type.name} without fields`);
    }
  });
}

/** One number for each alternative of the message's oneof, so that each is tried. */
function picks(type: protobuf.Type): number[] {
  const alternatives = Math.max(1, ...type.oneofsArray.map((oneof) => oneof.fieldsArray.length));
  return Array.from({ length: alternatives }, (_, pick) => pick);
}

/** An object with every field set to something that is not its default. */
function filled(type: protobuf.Type, pick: number, depth: number): Record<string, unknown> {
  const fields: Record<string, unknown> = {};
  for (const field of type.fieldsArray) {
    field.resolve();
    const { partOf } = field;
    if (partOf !== null && partOf.fieldsArray[pick % partOf.fieldsArray.length] !== field) continue;
    const value = valueOf(field, depth);
    if (field instanceof protobuf.MapField) fields[field.name] = { key: value };
    else fields[field.name] = field.repeated ? [value, value] : value;
  }
  return fields;
}

function valueOf(field: protobuf.Field, depth: number): unknown {
  const { resolvedType } = field;
  if (resolvedType instanceof protobuf.Enum) return Math.max(...Object.values(resolvedType.values));
  if (resolvedType instanceof protobuf.Type) return depth > 4 ? {} : filled(resolvedType, 0, depth + 1);
  switch (field.type) {
    case 'bytes':
      return Buffer.from([field.id, 0xff, 0]);
    case 'string':
      return `ü${field.name}`;
    case 'bool':
      return true;
    case 'int64':
      return -(2 ** 40) - field.id;
    case 'uint64':
      return 2 ** 52 + field.id;
    case 'uint32':
      return 2 ** 32 - field.id;
    default:
      return assert.fail(`no value for the type ${field.type}`);
  }
}
