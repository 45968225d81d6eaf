// AES-256-CTR with a 128-bit big-endian counter that may start in the middle of a stream.

import { createCipheriv } from 'node:crypto';
import { invariant } from '../errors.ts';

const BLOCK_BYTES = 16;
const COUNTER_MODULUS = 1n << 128n;

/**
 * XORs `bytes` with the keystream of (key 32, iv 16) from `offsetBytes` on, a multiple of 16. Encrypts and decrypts. The
 * counter carries over all 128 bits and wraps (NIST SP 800-38A, 6.5).
 */
export function aesCtr(key: Uint8Array, iv: Uint8Array, bytes: Uint8Array, offsetBytes = 0): Buffer {
  invariant(Number.isSafeInteger(offsetBytes) && offsetBytes >= 0, 'a keystream offset is a natural number');
  invariant(offsetBytes % BLOCK_BYTES === 0, 'a keystream offset is a multiple of 16');
  const cipher = createCipheriv('aes-256-ctr', key, offsetBytes === 0 ? iv : addBlocks(iv, offsetBytes / BLOCK_BYTES));
  return cipher.update(bytes);
}

function addBlocks(iv: Uint8Array, blocks: number): Buffer {
  const counter = (BigInt(`0x${Buffer.from(iv).toString('hex')}`) + BigInt(blocks)) % COUNTER_MODULUS;
  return Buffer.from(counter.toString(16).padStart(32, '0'), 'hex');
}
