// Whether the catalog knows in which cell each chunk of the newest revision lies: after a rebuild it may not, and then files
// do not read although every cell is good. The cells say it, so it is put right without any peer.

import { isBbError } from '../core/errors.ts';
import type { Daemon } from './daemon.ts';
import { finding } from './finding.ts';
import type { Finding } from './local-api.ts';
import { plan } from './plan.ts';

/** Says nothing while locked, recovering or without content. */
export async function checkChunks(daemon: Daemon, fix: boolean): Promise<Finding[]> {
  if (daemon.state !== 'UNLOCKED') return [];
  const { session } = daemon;
  if (session.node.mode !== 'normal' || session.newest === undefined) return [];
  try {
    const misplaced = await session.deps.workers.misplacedChunks(session.newest.row, 1);
    if (misplaced.length === 0) return [finding('chunks', 'ok', 'the catalog knows where all of your files lie')];
  } catch (error) {
    if (!isBbError(error, 'INTEGRITY')) throw error;
    return [
      finding('chunks', 'warning', 'not looked at: the list of your files cannot be read', 'bb doctor --read-data'),
    ];
  }
  const words = 'the catalog does not know in which cells some of your files lie';
  if (!fix) return [finding('chunks', 'damaged', `${words}; with --fix the cells are asked`, 'bb doctor --fix')];
  session.ownDamage.areChunksDoubted = true;
  plan(session, 'heal', 0);
  return [finding('chunks', 'fixed', `${words}; the cells say it, and are being read`)];
}
