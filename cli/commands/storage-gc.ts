// bb storage gc: lets go what no promise keeps and rewrites packs in which little is needed; with --evict also replicas
// whose remaining seconds are used up.

import { formatBytes } from '../../src/core/format-bytes.ts';
import { BarterBackupClientService as Service } from '../../src/gen/clirpc/v1/clirpc.ts';
import type { Context, Options } from '../context.ts';
import { flagOption } from '../context.ts';
import { formatCount } from '../format.ts';
import type { Result } from '../output.ts';
import { requireConfirmation } from '../prompt.ts';

export async function run(context: Context, _args: readonly string[], options: Options): Promise<Result> {
  const evict = flagOption(options, 'evict');
  if (evict) await requireConfirmation(context.settings, 'Delete the bytes of all peers whose time is up?');
  const answer = await (await context.client()).unary(Service.collectGarbage, { evict });
  const freedBytes = Number(answer.freedBytes);
  const dropped = formatCount(answer.droppedRevisions, 'older revision', 'older revisions');
  const packs = formatCount(answer.rewrittenPacks, 'pack', 'packs');
  return {
    data: {
      dropped_revisions: answer.droppedRevisions,
      rewritten_packs: answer.rewrittenPacks,
      freed_bytes: freedBytes,
    },
    text: `${dropped} let go, ${packs} rewritten, ${formatBytes(freedBytes)} freed.`,
  };
}
