// A contract that is over stays as a tombstone: the newest id of the owner and the last version of its terms, so that no
// replayed id or old proposal is taken for new. After more than a year it goes.

import { PERIODS_MS } from '../core/policy/periods.ts';
import type { Session } from './session.ts';

export async function dropTombstones(session: Session): Promise<void> {
  const { registry, node } = session;
  const old = registry
    .contracts()
    .filter(
      ({ state, life }) =>
        state === 'RELEASED' && node.countedSeconds - life.enteredSeconds > PERIODS_MS.tombstone / 1000,
    )
    .filter(({ peer }) => registry.heldOf(peer).length === 0);
  for (const { peer } of old) await registry.deleteContract(peer);
}
