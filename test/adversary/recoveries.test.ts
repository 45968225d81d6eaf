// Peers that lie to an owner without a disk, or claim to be one.

import { playAll } from './adversary.ts';
import { PEERS } from './recoveries.ts';

playAll(PEERS);
