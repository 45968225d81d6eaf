// bb recover: follows the recovery that runs in the daemon; with --to the files are written out when they are here.

import { BbError } from '../../src/core/errors.ts';
import { formatBytes } from '../../src/core/format-bytes.ts';
import { BarterBackupClientService as Service, NodeMode } from '../../src/gen/clirpc/v1/clirpc.ts';
import type { RecoverContentUpdate } from '../../src/gen/clirpc/v1/clirpc.ts';
import type { Context, Options } from '../context.ts';
import { flagOption, textOption } from '../context.ts';
import { extractTo } from '../extract-to.ts';
import { followRecovery } from '../follow-recovery.ts';
import { formatCount } from '../format.ts';
import type { Result } from '../output.ts';
import { requireConfirmation } from '../prompt.ts';
import { parseCount } from '../quantity.ts';
import { safeText } from '../safe-text.ts';

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
  const { update } = end;
  const isNormal = update?.mode === NodeMode.NODE_MODE_NORMAL;
  if (update === undefined || !(isNormal || update.recoveredMostRecentVersion)) {
    if (to !== undefined) out.note(`Nothing was written to ${to}: not all of the content is back. ${GO_ON}`);
    return { data: end.data, failure: end.failure ?? new BbError('PARTIAL', 'the recovery is not at its end') };
  }
  if (!isNormal) out.note(`Nothing is published yet: this node waits for ${safeText(update.waitingFor)}`);
  const restored = to === undefined ? undefined : await restore(context, to, options);
  const data = restored === undefined ? end.data : { ...end.data, restored: restored.data };
  const result = { data, text: summary(update, restored) };
  const failure = end.failure ?? restored?.failure;
  return failure === undefined ? result : { ...result, failure };
}

const GO_ON = 'To have the complete files: bb init complete, then the same command again.';

async function restore(context: Context, to: string, options: Options): Promise<Result> {
  const items = (await context.client()).stream(Service.getFile, { name: Buffer.alloc(0) });
  return extractTo(context, items, { name: Buffer.alloc(0), out: to, force: flagOption(options, 'force'), goOn: true });
}

function summary(update: RecoverContentUpdate, restored: Result | undefined): string {
  const written = restored === undefined ? '' : `\n${restored.text ?? ''}`;
  const came = update.totalDownloadedBytes > 0n ? `, ${formatBytes(update.totalDownloadedBytes)} from peers` : '';
  const isOld = update.mode === NodeMode.NODE_MODE_NORMAL && came === '';
  const files = formatCount(update.mostRecentDownloadedFiles, 'file', 'files');
  const what = `revision ${update.mostRecentSequence}: ${files}`;
  return isOld
    ? `Nothing to recover: this node has its content (${what}).${written}`
    : `Recovered ${what}${came}${written}`;
}
