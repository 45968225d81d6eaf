// Peers that make contracts which are none.

import { playAll } from './adversary.ts';
import { PEERS } from './bad-terms.ts';

playAll(PEERS);
