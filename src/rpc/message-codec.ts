// One message type of the wire and its plain form. Decoding is always: size, raw scan, decode, checks.

import type { MessageFns } from '../gen/bbrpc/v1/bbrpc.ts';
import { scanMessage } from './raw-scan.ts';
import type { WireShape } from './raw-scan.ts';
import { MalformedMessage } from './wire-checks.ts';

export type Codec<Plain> = {
  /** Bytes of the wire message. */
  readonly encode: (plain: Plain) => Buffer;
  /** Throws MalformedMessage, or PeerRefusal where the protocol names the defect. */
  readonly decode: (bytes: Uint8Array) => Plain;
};

export type CodecParts<Wire, Plain> = {
  readonly maxBytes: number;
  /** The fields that hold messages. */
  readonly shape: WireShape;
  toWire(plain: Plain): Wire;
  /** Checks every field before use. */
  fromWire(wire: Wire): Plain;
};

export function messageCodec<Wire, Plain>(message: MessageFns<Wire>, parts: CodecParts<Wire, Plain>): Codec<Plain> {
  return {
    encode: (plain) => Buffer.from(message.encode(parts.toWire(plain)).finish()),
    decode: (bytes) => {
      if (bytes.length > parts.maxBytes) throw new MalformedMessage('the message is too large');
      scanMessage(bytes, parts.shape);
      return parts.fromWire(decodeScanned(message, bytes));
    },
  };
}

function decodeScanned<Wire>(message: MessageFns<Wire>, bytes: Uint8Array): Wire {
  try {
    return message.decode(bytes);
  } catch {
    throw new MalformedMessage('the message cannot be decoded');
  }
}
