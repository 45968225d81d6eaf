// Written next: the part `flips` of the scorecard.

import type { Part } from './part.ts';

export const flips: Part = {
  name: 'flips',
  measure: () => Promise.reject(new Error('this part is not written yet')),
};
