// Terms with every default, between two parties that nobody else is: for tests of the state machine.

import { DEFAULT_TERMS } from '../../src/core/contract/default-terms.ts';
import type { Terms } from '../../src/core/contract/terms.ts';

export const PLAIN_TERMS: Terms = {
  ...DEFAULT_TERMS,
  version: 1,
  proposer: Buffer.alloc(32, 1),
  acceptor: Buffer.alloc(32, 2),
  bytesProposer: 1,
  bytesAcceptor: 1,
  nonce: Buffer.alloc(16),
};
