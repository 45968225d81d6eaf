// Storers that try to pass checks without the bytes.

import { playAll } from './adversary.ts';
import { PEERS } from './proving-storers.ts';

playAll(PEERS);
