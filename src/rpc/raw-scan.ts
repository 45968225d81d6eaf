// Walks the raw bytes of a protobuf message before anything decodes them, so that what a decoder is known to be weak at
// never reaches it: groups (a few KB of nested ones cost a skip each), lengths beyond the end, too many fields.
// Invariant: nesting is no deeper than the shape that the caller gives, because only its fields are entered.

import { MESSAGE_FIELDS } from '../core/limits.ts';
import { MalformedMessage } from './wire-checks.ts';

/** The fields of a message that hold messages, by number; all others are opaque. */
export type WireShape = { readonly [field: number]: WireShape };

const VARINT = 0;
const FIXED64 = 1;
const BYTES = 2;
const FIXED32 = 5;
const MAX_VARINT_BYTES = 10;

/** Throws MalformedMessage; the bytes themselves are not interpreted (protobuf encoding guide, "Message structure"). */
export function scanMessage(bytes: Uint8Array, shape: WireShape): void {
  let fields = 0;

  const walk = (start: number, end: number, inner: WireShape): void => {
    let at = start;
    const varint = (): number => {
      let value = 0;
      for (let read = 0; read < MAX_VARINT_BYTES; read++) {
        if (at >= end) throw new MalformedMessage('the message ends within a number');
        const byte = bytes[at++] ?? 0;
        value += (byte & 0x7f) * 2 ** (7 * read);
        if (byte < 0x80) return value;
      }
      throw new MalformedMessage('a number has more than 10 bytes');
    };
    const skip = (count: number): void => {
      if (count > end - at) throw new MalformedMessage('a field is longer than its message');
      at += count;
    };

    while (at < end) {
      if (++fields > MESSAGE_FIELDS) throw new MalformedMessage('the message has too many fields');
      const tag = varint();
      const field = Math.floor(tag / 8);
      if (field < 1 || field > 0x1fffffff) throw new MalformedMessage('a field has no valid number');
      switch (tag % 8) {
        case VARINT:
          varint();
          break;
        case FIXED64:
          skip(8);
          break;
        case FIXED32:
          skip(4);
          break;
        case BYTES: {
          const length = varint();
          const from = at;
          skip(length);
          const nested = inner[field];
          if (nested !== undefined) walk(from, from + length, nested);
          break;
        }
        default:
          throw new MalformedMessage('groups are refused');
      }
    }
  };

  walk(0, bytes.length, shape);
}
