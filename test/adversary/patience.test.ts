// Peers that play on time and on numbers.

import { playAll } from './adversary.ts';
import { PEERS } from './patience.ts';

playAll(PEERS);
