// Owners that abuse offers.

import { playAll } from './adversary.ts';
import { PEERS } from './bad-offers.ts';

playAll(PEERS);
