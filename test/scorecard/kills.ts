// Written next: the part `kills` of the scorecard.

import type { Part } from './part.ts';

export const kills: Part = {
  name: 'kills',
  measure: () => Promise.reject(new Error('this part is not written yet')),
};
