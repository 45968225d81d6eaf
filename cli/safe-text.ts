// Stored names are bytes, and texts may come from a peer. What reaches a terminal holds no control, format or bidi
// characters, so that no name can move the cursor or disguise itself.

const UNSAFE = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}\p{Co}\p{Cn}]/u;

/** One line of safe text; unsafe characters and invalid UTF-8 as \xNN per byte, a backslash doubled. */
export function safeName(name: Uint8Array): string {
  const bytes = Buffer.from(name.buffer, name.byteOffset, name.byteLength);
  let text = '';
  for (let at = 0; at < bytes.length; ) {
    const character = characterAt(bytes, at);
    const length = character === undefined ? 1 : Buffer.byteLength(character);
    if (character === undefined || UNSAFE.test(character)) {
      for (const byte of bytes.subarray(at, at + length)) text += `\\x${byte.toString(16).padStart(2, '0')}`;
    } else {
      text += character === '\\' ? '\\\\' : character;
    }
    at += length;
  }
  return text;
}

/** A sentence of the daemon or a peer, made safe; backslashes stay single. */
export function safeText(text: string): string {
  return Array.from(text, (character) => (UNSAFE.test(character) ? safeName(Buffer.from(character)) : character)).join(
    '',
  );
}

/** The same with its line breaks; further lines are indented, so that none passes for one of bb. */
export function safeLines(text: string): string {
  return text.split('\n').map(safeText).join('\n  ');
}

/** The name as text, or undefined when it is not valid UTF-8. */
export function utf8Name(name: Buffer): string | undefined {
  const text = name.toString('utf8');
  return Buffer.from(text, 'utf8').equals(name) ? text : undefined;
}

function characterAt(bytes: Buffer, at: number): string | undefined {
  for (let length = 1; length <= 4 && at + length <= bytes.length; length++) {
    const text = utf8Name(bytes.subarray(at, at + length));
    if (text !== undefined) return text;
  }
  return undefined;
}
