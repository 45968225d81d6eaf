// A stored name as it is typed: UTF-8, without the slash that a shell completes behind a folder. The daemon judges the rest.

import { BbError } from '../src/core/errors.ts';
import { safeName } from './safe-text.ts';

export function storedName(typed: string): Buffer {
  // What the shell gave as other bytes has been replaced before any program sees it.
  if (typed.includes('\ufffd')) {
    throw new BbError('BAD_NAME', 'this name is not valid UTF-8, which a command line cannot carry', {
      hint: 'Use the folder that it is in.',
    });
  }
  const name = typed.length > 1 ? typed.replace(/\/+$/, '') : typed;
  return Buffer.from(name, 'utf8');
}

/** A stream without an entry means that there is nothing at or below the name. */
export function nothingThere(name: Buffer): BbError {
  return new BbError('NOT_FOUND', `nothing is set as ${safeName(name)}`);
}
