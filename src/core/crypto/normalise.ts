// The one form of a secret and of an account name, so that the same typing gives the same keys on every system and in
// every year (docs/storage-format.md, "From the secret to the keys"). Nothing is corrected silently: what is not surely
// meant is refused.

import { validateMnemonic } from '@scure/bip39';
import { wordlist } from '@scure/bip39/wordlists/english.js';
import { BbError } from '../errors.ts';
import { SECRET_BYTES } from '../limits.ts';

const WORDS = 24;

/** Words in any case and spacing -> lower case, single spaces. BAD_PHRASE unless 24 words with a right checksum. */
export function normalisePhrase(text: string): string {
  if (text.length > SECRET_BYTES) throw new BbError('BAD_PHRASE', 'this is too long for a recovery phrase');
  const words = text
    .toLowerCase()
    .split(/\s+/u)
    .filter((word) => word !== '');
  if (words.length !== WORDS) {
    throw new BbError('BAD_PHRASE', `a recovery phrase has ${WORDS} words, here are ${words.length}`);
  }
  const known = new Set(wordlist);
  const wrong = words.flatMap((word, index) => (known.has(word) ? [] : [index + 1]));
  if (wrong.length > 0) throw new BbError('BAD_PHRASE', `not in the word list: word ${wrong.join(', ')}`);
  const phrase = words.join(' ');
  if (!validateMnemonic(phrase, wordlist)) {
    throw new BbError('BAD_PHRASE', 'the checksum of the phrase is wrong: a word is mistyped or out of order');
  }
  return phrase;
}

/** The password in NFC with plain spaces. USAGE for what cannot be typed again reliably. Strength is judged elsewhere. */
export function normalisePassword(text: string): string {
  if (/[\p{Cc}\p{Cn}\p{Cs}\p{Zl}\p{Zp}]/u.test(text)) {
    throw new BbError('USAGE', 'the password holds a control character or a character that Unicode does not define');
  }
  const password = text.replace(/\p{Zs}/gu, ' ').normalize('NFC');
  if (password === '') throw new BbError('USAGE', 'the password is empty');
  if (password.startsWith(' ') || password.endsWith(' ')) {
    throw new BbError('USAGE', 'the password starts or ends with a space');
  }
  if (Buffer.byteLength(password) > SECRET_BYTES) {
    throw new BbError('USAGE', `the password has more than ${SECRET_BYTES} bytes`);
  }
  return password;
}

/** ASCII letters become lower case; USAGE unless 3 to 64 of a-z 0-9 . _ @ - remain. */
export function normaliseAccount(text: string): string {
  const account = text.replace(/[A-Z]/g, (letter) => letter.toLowerCase());
  if (!/^[a-z0-9._@-]{3,64}$/.test(account)) {
    throw new BbError('USAGE', 'an account name has 3 to 64 of a-z, 0-9 and . _ @ -');
  }
  return account;
}
