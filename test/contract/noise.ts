// Incompressible bytes that are the same in every run.

import { createCipheriv } from 'node:crypto';

export function noise(bytes: number, seed: number): Buffer {
  return createCipheriv('aes-128-ctr', Buffer.alloc(16, seed), Buffer.alloc(16)).update(Buffer.alloc(bytes));
}
