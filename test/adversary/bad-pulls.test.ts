// Owners that send other content than they offered.

import { playAll } from './adversary.ts';
import { PEERS } from './bad-pulls.ts';

playAll(PEERS);
