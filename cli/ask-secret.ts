// One line typed on a terminal without any echo, not even its length. Own code and not the prompt library's, because it
// also works on a terminal without a size, and keeps the bytes in a Buffer that can be wiped.

import { BbError } from '../src/core/errors.ts';
import { SECRET_BYTES } from '../src/core/limits.ts';

/** A typed line may be longer before it is normalised. */
const LINE_BYTES = 4 * SECRET_BYTES;
const CTRL_C = 0x03;
const CTRL_D = 0x04;
const CTRL_U = 0x15;
const BACKSPACES = [0x08, 0x7f];
const LINE_ENDS = [0x0a, 0x0d];
const SPACE = 0x20;
const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/** The line as UTF-8; the caller wipes it. INTERRUPTED for Ctrl-C, and for Ctrl-D on an empty line. */
export async function askSecret(question: string): Promise<Buffer> {
  const { stdin, stderr } = process;
  const line = Buffer.alloc(LINE_BYTES);
  // First, so that nothing typed after the question is echoed or handled by the terminal.
  stdin.setRawMode(true);
  stderr.write(`${question}: `);
  try {
    let length = 0;
    for (;;) {
      const typed = await nextBytes();
      for (const [at, byte] of typed.entries()) {
        if (byte === CTRL_C || (byte === CTRL_D && length === 0)) throw new BbError('INTERRUPTED', 'interrupted');
        if (LINE_ENDS.includes(byte)) {
          // What was typed ahead answers the next question.
          if (at + 1 < typed.length) stdin.unshift(typed.subarray(at + 1));
          return Buffer.from(line.subarray(0, length));
        }
        if (byte === CTRL_U) length = 0;
        else if (BACKSPACES.includes(byte)) length = withoutLast(line, length);
        else if (byte >= SPACE && length < LINE_BYTES) line[length++] = byte;
      }
      typed.fill(0);
    }
  } finally {
    line.fill(0);
    stdin.setRawMode(false);
    stdin.pause();
    stderr.write('\n');
  }
}

/** INTERRUPTED when the terminal goes away or a signal comes. */
function nextBytes(): Promise<Buffer> {
  const { stdin } = process;
  return new Promise((resolve, reject) => {
    const done = (finish: () => void): void => {
      stdin.off('data', heard).off('end', ended);
      for (const signal of SIGNALS) process.off(signal, ended);
      stdin.pause();
      finish();
    };
    const heard = (bytes: Buffer): void => done(() => resolve(bytes));
    const ended = (): void => done(() => reject(new BbError('INTERRUPTED', 'interrupted')));
    stdin.on('data', heard).on('end', ended);
    for (const signal of SIGNALS) process.on(signal, ended);
    stdin.resume();
  });
}

/** The length without the last character: its first byte is the last one that continues nothing. */
function withoutLast(line: Buffer, length: number): number {
  let end = length - 1;
  while (end > 0 && ((line[end] as number) & 0xc0) === 0x80) end -= 1;
  return Math.max(0, end);
}
