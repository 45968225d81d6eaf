// Unpredictable bytes inside a worker, where the daemon's own source cannot be handed in: nonces of packs and rows.

import type { Random } from '../ports/random.ts';

export const threadRandom: Pick<Random, 'bytes'> = {
  bytes: (count) => crypto.getRandomValues(Buffer.alloc(count)),
};
