// The system's random source.

import { randomBytes, randomInt } from 'node:crypto';
import type { Random } from '../ports/random.ts';

const STEPS = 2 ** 47;

export const systemRandom: Random = {
  bytes: (count) => randomBytes(count),
  fraction: () => randomInt(STEPS) / STEPS,
};
