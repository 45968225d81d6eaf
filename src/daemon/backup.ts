// A complete copy of the catalog beside it (state.bak), daily and after each change of a contract: a node
// whose catalog is damaged starts from it.

import { plan } from './plan.ts';
import type { Session } from './session.ts';

export async function backup(session: Session): Promise<void> {
  plan(session, 'backup', session.deps.periods.catalogBackup);
  await session.deps.catalog.backup();
}
