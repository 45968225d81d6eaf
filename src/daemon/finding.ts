// One finding of `bb doctor`.

import type { Finding } from './local-api.ts';

export function finding(check: Finding['check'], state: Finding['state'], message: string, hint = ''): Finding {
  return { check, state, message, hint };
}
