// The gate in front of a user's own password. The onion address is a public verifier of the password, for ever: anybody
// can test guesses offline (docs/threat-model.md). Its word lists are large; import this file only where a password is set.

import { ZxcvbnFactory } from '@zxcvbn-ts/core';
import { adjacencyGraphs, dictionary } from '@zxcvbn-ts/language-common';
import { BbError } from '../errors.ts';
import { PASSWORD_JUDGED_CHARACTERS } from '../limits.ts';

const STRONG_GUESSES_LOG10 = 14;
const WEAK_GUESSES_LOG10 = 12;

/** log10 of the guesses an attacker needs who knows `words` (account name, host name, user name). */
export function guessesLog10(password: string, words: readonly string[]): number {
  const judge = new ZxcvbnFactory({ dictionary, graphs: adjacencyGraphs });
  return judge.check(password.slice(0, PASSWORD_JUDGED_CHARACTERS), [...words]).guessesLog10;
}

/** Throws WEAK_PASSWORD below 10^14 guesses, or below 10^12 with `allowWeak`. */
export function requireStrongPassword(password: string, words: readonly string[], allowWeak: boolean): void {
  const guesses = guessesLog10(password, words);
  if (guesses >= (allowWeak ? WEAK_GUESSES_LOG10 : STRONG_GUESSES_LOG10)) return;
  throw new BbError('WEAK_PASSWORD', `about 10^${Math.floor(guesses)} guesses find this password`);
}
