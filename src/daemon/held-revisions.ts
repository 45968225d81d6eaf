// Which revisions of ours the peers in touch hold, asked this moment: what a user whose files were destroyed on a living node
// can go back to. It is taken by a recovery on an empty data directory only: this one is published from, and may not be his alone.

import { BbError } from '../core/errors.ts';
import { meet } from './contact.ts';
import { foundIn } from './holders.ts';
import type { Session } from './session.ts';
import { sequencesOf, sequencesText } from './waiting-words.ts';

/** The answer to `--accept-seq` on a node in mode `normal`: how it is done, and which numbers there are. */
export async function refuseOnLiving(session: Session, signal: AbortSignal): Promise<BbError> {
  const held = await heldNow(session, signal);
  const known = held.length > 0 ? `Peers in touch hold ${sequencesText(held)} of it.` : 'No peer in touch holds any.';
  const own = session.newest === undefined ? '' : ` (revision ${session.newest.row.sequence})`;
  return new BbError(
    'ALREADY_INITIALISED',
    `this node has its content${own}; only a recovery takes an older revision`,
    {
      hint:
        `${known} To go back: stop this bbd for good, then with an empty --data-dir: bb init --recover, ` +
        'bb recover --accept-seq N --to DIR (docs/operations.md, "Back to an older revision").',
    },
  );
}

/** Sequences, newest first. */
async function heldNow(session: Session, signal: AbortSignal): Promise<number[]> {
  const inTouch = session.registry.contracts().filter(({ peer }) => session.reach.isReachable(peer));
  const found = await Promise.all(
    inTouch.map(async ({ peer }) => {
      const report = await meet(session, peer, signal).catch((error: unknown) => {
        if (signal.aborted) throw error;
        session.deps.log.debug('a peer did not say what it holds', { detail: String(error) });
      });
      return report === undefined ? [] : foundIn(session, peer, report);
    }),
  );
  return sequencesOf(found.flat());
}
