// What a caller can do before it says anything of storage.

import { playAll } from './adversary.ts';
import { PEERS } from './callers.ts';

playAll(PEERS);
