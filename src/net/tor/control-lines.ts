// The line protocol of tor's control port (control-spec, "Message format"): replies, data blocks and quoting.
// Invariant: whatever arrives, no more than LINE + REPLY bounds of it is kept; a line that does not fit the grammar ends
// the connection instead of being guessed at.

import { BbError } from '../../core/errors.ts';
import { CONTROL_LINE_BYTES, CONTROL_REPLY_BYTES } from '../../core/limits.ts';

export type ReplyLine = {
  readonly text: string;
  /** Lines of a `+` data block, without the final dot. */
  readonly data: readonly string[];
};

export type ControlReply = { readonly status: number; readonly lines: readonly ReplyLine[] };

const NEWLINE = 10;

/** Splits the byte stream into replies. Throws TOR_UNREACHABLE on anything that is not the control protocol. */
export class ControlReader {
  #rest = Buffer.alloc(0);
  #lines: { text: string; data: string[] }[] = [];
  #replyBytes = 0;
  #inData = false;

  feed(bytes: Uint8Array): ControlReply[] {
    const replies: ControlReply[] = [];
    let buffer = this.#rest.length === 0 ? Buffer.from(bytes) : Buffer.concat([this.#rest, bytes]);
    for (let end = buffer.indexOf(NEWLINE); end >= 0; end = buffer.indexOf(NEWLINE)) {
      if (end > CONTROL_LINE_BYTES) throw malformed('a line is too long');
      const line = buffer.toString('latin1', 0, end).replace(/\r$/, '');
      buffer = buffer.subarray(end + 1);
      const reply = this.#line(line);
      if (reply !== undefined) replies.push(reply);
    }
    if (buffer.length > CONTROL_LINE_BYTES) throw malformed('a line is too long');
    this.#rest = Buffer.from(buffer);
    return replies;
  }

  #line(line: string): ControlReply | undefined {
    this.#replyBytes += line.length;
    if (this.#replyBytes > CONTROL_REPLY_BYTES) throw malformed('a reply is too long');
    if (this.#inData) {
      if (line === '.') this.#inData = false;
      else this.#lines.at(-1)?.data.push(line.startsWith('.') ? line.slice(1) : line);
      return undefined;
    }
    const [, status, mark, text] = /^([1-6]\d\d)([-+ ])(.*)$/.exec(line) ?? [];
    if (status === undefined || mark === undefined || text === undefined) throw malformed('a line has no status');
    this.#lines.push({ text, data: [] });
    if (mark === '+') this.#inData = true;
    if (mark !== ' ') return undefined;
    const reply = { status: Number(status), lines: this.#lines };
    this.#lines = [];
    this.#replyBytes = 0;
    return reply;
  }
}

/** `KEY=value` and `KEY="quoted value"` pairs of a reply line; other words are left out. */
export function keywordArguments(text: string): ReadonlyMap<string, string> {
  const found = new Map<string, string>();
  for (const [, key = '', quoted, plain] of text.matchAll(/([A-Za-z0-9_-]+)=(?:"((?:[^"\\]|\\.)*)"|(\S*))/g)) {
    found.set(key, quoted === undefined ? (plain ?? '') : unquote(quoted));
  }
  return found;
}

/** A QuotedString argument. Bytes that could end the line or the string never pass unescaped. */
export function quoteArgument(value: string): string {
  if (/[^\x20-\x7e]/.test(value)) throw new BbError('BAD_CONFIG', 'tor takes only printable ASCII here');
  return `"${value.replace(/["\\]/g, '\\$&')}"`;
}

/** An argument that cannot be quoted, such as a Port target of ADD_ONION: refused unless it is one plain word. */
export function plainArgument(value: string): string {
  if (!/^[\x21\x23-\x5b\x5d-\x7e]+$/.test(value)) {
    throw new BbError('BAD_CONFIG', 'tor cannot be told a path with spaces, quotes or other special characters');
  }
  return value;
}

/** Escapes of a quoted string; octal ones are bytes (tor writes UTF-8 paths so). */
function unquote(quoted: string): string {
  const bytes = quoted.replace(/\\([0-7]{1,3}|.)/g, (_, escape: string) => {
    if (/^[0-7]/.test(escape)) return String.fromCharCode(Number.parseInt(escape, 8) & 255);
    return { n: '\n', r: '\r', t: '\t' }[escape] ?? escape;
  });
  return Buffer.from(bytes, 'latin1').toString('utf8');
}

export function malformed(detail: string): BbError {
  return new BbError('TOR_UNREACHABLE', `tor's control port does not speak the control protocol: ${detail}`);
}
