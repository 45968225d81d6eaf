// Storers that keep nothing or not all.

import { playAll } from './adversary.ts';
import { PEERS } from './idle-storers.ts';

playAll(PEERS);
