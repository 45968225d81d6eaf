// All scripted peers by number. The chat peer (31) comes with chat. A number without a row is missing, never passed.

import type { Adversary } from './adversary.ts';
import { PEERS as badOffers } from './bad-offers.ts';
import { PEERS as badPulls } from './bad-pulls.ts';
import { PEERS as badTerms } from './bad-terms.ts';
import { PEERS as callers } from './callers.ts';
import { PEERS as idleStorers } from './idle-storers.ts';
import { PEERS as patience } from './patience.ts';
import { PEERS as provingStorers } from './proving-storers.ts';
import { PEERS as recoveries } from './recoveries.ts';

export const TABLES: Readonly<Record<string, readonly Adversary[]>> = {
  'bad-offers': badOffers,
  'bad-pulls': badPulls,
  'bad-terms': badTerms,
  callers,
  'idle-storers': idleStorers,
  patience,
  'proving-storers': provingStorers,
  recoveries,
};

const CHAT = 31;
const LAST = 37;

export const NUMBERS: readonly number[] = Array.from({ length: LAST }, (_, index) => index + 1).filter(
  (number) => number !== CHAT,
);
