// The table of everything that reads bytes which something else chose. Who writes a parser adds its row.

import type { Target } from './target.ts';
import { CONTENT_TARGETS } from './targets/content.ts';
import { LOCAL_TARGETS } from './targets/local.ts';
import { NET_TARGETS } from './targets/net.ts';
import { STORAGE_TARGETS } from './targets/storage.ts';
import { WIRE_TARGETS } from './targets/wire.ts';
import { WORD_TARGETS } from './targets/words.ts';

export const TARGETS: readonly Target[] = [
  ...WIRE_TARGETS,
  ...CONTENT_TARGETS,
  ...STORAGE_TARGETS,
  ...WORD_TARGETS,
  ...NET_TARGETS,
  ...LOCAL_TARGETS,
];
