// Just enough of the protobuf wire format to read Metadata by hand: varints and length-delimited fields.

/** The last value of each field; 0 or empty when absent. */
export type Fields = { number(tag: number): number; bytes(tag: number): Uint8Array };

export function fieldsOf(message: Uint8Array): Fields {
  const numbers = new Map<number, number>();
  const strings = new Map<number, Uint8Array>();
  let at = 0;
  const varint = (): number => {
    let value = 0;
    for (let factor = 1; ; factor *= 128) {
      const byte = message[at++];
      if (byte === undefined) throw new Error('the message is cut');
      value += (byte & 127) * factor;
      if (byte < 128) return value;
    }
  };
  while (at < message.length) {
    const key = varint();
    const tag = Math.floor(key / 8);
    if (key % 8 === 0) numbers.set(tag, varint());
    else if (key % 8 === 2) {
      const length = varint();
      strings.set(tag, message.slice(at, at + length));
      at += length;
    } else throw new Error(`wire type ${key % 8} is not used in Metadata`);
  }
  return { number: (tag) => numbers.get(tag) ?? 0, bytes: (tag) => strings.get(tag) ?? new Uint8Array() };
}
