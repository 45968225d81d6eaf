// A stored name as it is typed: UTF-8, without the slash that a shell completes behind a folder. The daemon judges the rest.

import { BbError } from '../src/core/errors.ts';
import { textOption } from './context.ts';
import type { Options } from './context.ts';
import { safeName } from './safe-text.ts';

export function storedName(typed: string): Buffer {
  // What the shell gave as other bytes has been replaced before any program sees it.
  if (typed.includes('\ufffd')) {
    throw new BbError('BAD_NAME', 'this name is not valid UTF-8, which a command line cannot carry', {
      hint: 'Use --path-b64 with what --json says, or the folder that it is in.',
    });
  }
  const name = typed.length > 1 ? typed.replace(/\/+$/, '') : typed;
  return Buffer.from(name, 'utf8');
}

/** The name that a command is about, and its other arguments: with --path-b64 the name is not among them. */
export function namedBy(
  args: readonly string[],
  options: Options,
): { readonly name: Buffer; readonly rest: readonly string[] } {
  const encoded = textOption(options, 'pathB64');
  if (encoded === undefined) return { name: storedName(args[0] ?? ''), rest: args.slice(1) };
  const name = Buffer.from(encoded, 'base64');
  if (name.length === 0 || name.toString('base64') !== encoded) {
    throw new BbError('USAGE', '--path-b64 is not base64', { hint: 'Copy path_b64 of bb listfiles --json.' });
  }
  return { name, rest: args };
}

/** A stream without an entry means that there is nothing at or below the name. */
export function nothingThere(name: Buffer): BbError {
  return new BbError('NOT_FOUND', `nothing is set as ${safeName(name)}`);
}
