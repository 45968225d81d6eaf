// Argon2id parameters and salt of format 1 (docs/storage-format.md, "From the secret to the keys"). Constants, never
// options: a forgotten option is a lost backup. The function itself runs in a worker.

import { sha256 } from './hash.ts';

export type SecretMode = 'phrase' | 'password';

export const ARGON2 = { memoryKib: 256 * 1024, passes: 4, lanes: 4, masterBytes: 64 } as const;

/**
 * Salt (32 bytes) of a secret: nothing random survives a dead disk, so the account name is all there is; empty in
 * phrase mode. `account` is normalised already.
 */
export function argon2Salt(mode: SecretMode, account: string): Buffer {
  const name = Buffer.from(account, 'ascii');
  const head = Buffer.alloc(3);
  head.writeUInt8(mode === 'phrase' ? 0 : 1, 0);
  head.writeUInt16BE(name.length, 1);
  return sha256(Buffer.from('bb1/argon2-salt'), head, name);
}
