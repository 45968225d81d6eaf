// Init and Unlock for local programs. The secret exists in the message and in the buffer that the daemon wipes; the bytes of
// the message are wiped here once they are decoded.

import type { InitArgs } from '../../daemon/local-api.ts';
import { SECRET_BYTES } from '../../core/limits.ts';
import { SecretMode } from '../../gen/clirpc/v1/clirpc.ts';
import type { InitRequest, UnlockRequest } from '../../gen/clirpc/v1/clirpc.ts';
import { boundedBytes, knownWord } from '../wire-checks.ts';

const MODES = new Map<number, 'phrase' | 'password'>([
  [SecretMode.SECRET_MODE_PHRASE, 'phrase'],
  [SecretMode.SECRET_MODE_PASSWORD, 'password'],
]);

/** A typed secret may be longer before it is normalised. */
const TYPED_SECRET_BYTES = 4 * SECRET_BYTES;

export function initArgs(request: InitRequest): InitArgs {
  return {
    mode: knownWord(MODES, request.mode, 'mode'),
    generate: request.generate,
    secret: boundedBytes(request.mainPassword, request.generate ? 0 : 1, TYPED_SECRET_BYTES, 'main_password'),
    account: request.account,
    allowWeak: request.allowWeak,
    name: request.name,
    newIdentity: request.newIdentity,
  };
}

export function unlockSecret(request: UnlockRequest): Buffer {
  return boundedBytes(request.mainPassword, 1, TYPED_SECRET_BYTES, 'main_password');
}

/** Decodes, then wipes the bytes that came. */
export function wipeAfter<Message>(decode: (bytes: Buffer) => Message): (bytes: Buffer) => Message {
  return (bytes) => {
    try {
      return decode(bytes);
    } finally {
      bytes.fill(0);
    }
  };
}
