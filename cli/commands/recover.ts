// bb recover: follows the recovery that runs in the daemon; with --to the files are written out when they are here.

import { BbError } from '../../src/core/errors.ts';
import { formatBytes } from '../../src/core/format-bytes.ts';
import { BarterBackupClientService as Service, NodeMode } from '../../src/gen/clirpc/v1/clirpc.ts';
import type { Context, Options } from '../context.ts';
import { flagOption, textOption } from '../context.ts';
import { extractTo } from '../extract-to.ts';
import { followRecovery } from '../follow-recovery.ts';
import type { RecoveryEnd } from '../follow-recovery.ts';
import { formatCount } from '../format.ts';
import type { Result } from '../output.ts';
import { requireConfirmation } from '../prompt.ts';
import { parseCount } from '../quantity.ts';

export async function run(context: Context, _args: readonly string[], options: Options): Promise<Result> {
  const { out } = context;
  const from = textOption(options, 'from');
  const to = textOption(options, 'to');
  const sequence = textOption(options, 'acceptSeq');
  const acceptSequence = sequence === undefined ? 0n : BigInt(parseCount(sequence, 1, Number.MAX_SAFE_INTEGER));
  if (sequence !== undefined) {
    await requireConfirmation(
      context.settings,
      `Take revision ${sequence} as the newest, even if peers hold a newer one?`,
    );
  }
  const request = {
    from: from === undefined ? undefined : { onionServiceId: from, name: '' },
    complete: false,
    acceptSequence,
    acceptLoss: false,
  };
  const wait = flagOption(options, 'wait') || to !== undefined;
  const end = await followRecovery(context, request, wait);
  const ended = !wait && end.update?.done !== true && end.failure === undefined;
  if (ended) return { data: end.data, text: 'The recovery runs in the daemon. Watch it: bb recover --wait' };
  const restored = to === undefined || end.update === undefined ? undefined : await restore(context, to, options);
  const failure = end.failure ?? restored?.failure;
  const data = restored === undefined ? end.data : { ...end.data, restored: restored.data };
  if (end.update?.mode === NodeMode.NODE_MODE_RECOVERING) out.note('Publishing stays off until bb init complete.');
  return failure === undefined ? { data, text: summary(end, to) } : { data, text: summary(end, to), failure };
}

async function restore(context: Context, to: string, options: Options): Promise<Result> {
  const items = (await context.client()).stream(Service.getFile, { name: Buffer.alloc(0) });
  return extractTo(context, items, { name: Buffer.alloc(0), out: to, force: flagOption(options, 'force') });
}

function summary({ update }: RecoveryEnd, to: string | undefined): string {
  if (update === undefined) throw new BbError('INTERNAL', 'the daemon gave no answer');
  if (update.mode === NodeMode.NODE_MODE_NORMAL && update.totalDownloadedBytes === 0n && to === undefined) {
    return 'Nothing to recover: this node has its content.';
  }
  const files = formatCount(update.mostRecentDownloadedFiles, 'file', 'files');
  const bytes = formatBytes(update.totalDownloadedBytes);
  const where = to === undefined ? '' : `, written to ${to}`;
  return `Recovered revision ${update.mostRecentSequence}: ${files}, ${bytes} from peers${where}`;
}
