// Names that people give to machines: shown on terminals and in messages, so they are one line of plain text.

import { BbError } from './errors.ts';

const CONTROL = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u;

/** USAGE for a name with control characters or line breaks. */
export function requirePlainName(name: string): void {
  if (CONTROL.test(name)) throw new BbError('USAGE', 'a name may not have control characters or line breaks');
}
