// A complete copy of the catalog beside it (state.bak), daily and after each change of a contract: a node
// whose catalog is damaged starts from it.

import { isBbError } from '../core/errors.ts';
import { plan } from './plan.ts';
import type { Session } from './session.ts';

/** A catalog that turns out to be damaged keeps its older copy, and `bb status` says so. */
export async function backup(session: Session): Promise<void> {
  plan(session, 'backup', session.deps.periods.catalogBackup);
  try {
    await session.deps.catalog.backup();
    session.catalogDamaged = false;
  } catch (error) {
    session.catalogDamaged ||= isBbError(error, 'INTEGRITY');
    throw error;
  }
}
