// Entry of the thread that derives one master key and is ended afterwards, so that Argon2's 256 MiB go back at once.

import argon2 from 'argon2';
import { ARGON2, argon2Salt } from '../../core/crypto/argon2-params.ts';
import type { SecretMode } from '../../core/crypto/argon2-params.ts';
import type { CallContext } from '../calls.ts';
import { serveCalls } from '../serve-calls.ts';

export type DeriveCalls = typeof calls;

const calls = {
  /** Argon2id with the constants of format 1 (docs/storage-format.md, "From the secret to the keys"); 64 bytes. */
  async derive(_: CallContext, secret: Buffer, mode: SecretMode, account: string): Promise<Buffer> {
    try {
      return await argon2.hash(secret, {
        raw: true,
        type: argon2.argon2id,
        version: 0x13,
        salt: argon2Salt(mode, account),
        memoryCost: ARGON2.memoryKib,
        timeCost: ARGON2.passes,
        parallelism: ARGON2.lanes,
        hashLength: ARGON2.masterBytes,
      });
    } finally {
      secret.fill(0);
    }
  },
};

serveCalls(calls);
