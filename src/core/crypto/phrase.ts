// The 24 words: 256 bits and their checksum (BIP-39, English list).

import { entropyToMnemonic } from '@scure/bip39';
import { wordlist } from '@scure/bip39/wordlists/english.js';
import { invariant } from '../errors.ts';

/** 32 random bytes -> 24 words with single spaces, in the normal form that is the secret. */
export function phraseFromEntropy(entropy: Uint8Array): string {
  invariant(entropy.length === 32, 'a phrase is made of 32 bytes');
  return entropyToMnemonic(entropy, wordlist);
}
