// bb contracts check: one challenge now. Exit 0 held, 4 wrong or late, 14 unreachable.

import { BbError } from '../../src/core/errors.ts';
import { formatBytes } from '../../src/core/format-bytes.ts';
import { BarterBackupClientService as Service } from '../../src/gen/clirpc/v1/clirpc.ts';
import type { CheckContractUpdate } from '../../src/gen/clirpc/v1/clirpc.ts';
import type { Context } from '../context.ts';
import { formatCount } from '../format.ts';
import { operationNote } from '../operation-text.ts';
import type { Result } from '../output.ts';
import { safeText } from '../safe-text.ts';

export async function run(context: Context, [onionServiceId = '']: readonly string[]): Promise<Result> {
  const request = { peer: { onionServiceId, name: '' } };
  let last: CheckContractUpdate | undefined;
  for await (const update of (await context.client()).stream(Service.checkContract, request)) {
    if (update.state !== last?.state) context.out.note(`* ${operationNote(update.state)}`);
    last = update;
  }
  if (last === undefined) throw new BbError('INTERNAL', 'the daemon gave no answer');
  const data = {
    outcome: last.outcome,
    newest: last.newest,
    content_bytes: Number(last.ourContentLength),
    section_offset: Number(last.ourContentSectionOffset),
    section_bytes: Number(last.ourContentSectionLength),
    blocks: last.blocks,
    cells: last.cells,
  };
  if (last.outcome === 'held') return { data, text: heldText(last) };
  if (last.outcome === 'unreachable') {
    return { data, failure: new BbError('PEER_UNREACHABLE', 'the peer was not reached; this is no verdict on it') };
  }
  const what =
    last.outcome === 'late' ? 'the proof came too late' : `the proof is ${safeText(last.outcome || 'missing')}`;
  return { data, failure: new BbError('CHECK_FAILED', what) };
}

function heldText(update: CheckContractUpdate): string {
  const revision = update.newest ? 'the newest revision' : 'an older revision';
  const sample = `${formatCount(update.blocks, 'block', 'blocks')} and ${formatCount(update.cells, 'cell', 'cells')}`;
  return `held: ${revision}, ${formatBytes(update.ourContentLength)}, proved by ${sample}`;
}
