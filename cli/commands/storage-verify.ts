// bb storage verify: what a reading of every own and held cell found. Exit 4 when something bad is not good again yet. The
// reading is a job of the daemon: it goes on after Ctrl-C, and asked for again it is joined.

import { BbError } from '../../src/core/errors.ts';
import { BarterBackupClientService as Service } from '../../src/gen/clirpc/v1/clirpc.ts';
import type { VerifiedPeer, VerifyStorageResult } from '../../src/gen/clirpc/v1/clirpc.ts';
import type { Context } from '../context.ts';
import { formatCount, shortId } from '../format.ts';
import type { Result } from '../output.ts';
import { safeName, safeText } from '../safe-text.ts';
import { nameView } from '../views.ts';

export async function run(context: Context): Promise<Result> {
  let result: VerifyStorageResult | undefined;
  for await (const update of (await context.client()).stream(Service.verifyStorage, {})) {
    if (update.progress !== undefined) context.out.progress(update.progress);
    result = update.result;
  }
  if (result === undefined) throw new BbError('INTERNAL', 'the daemon gave no answer');
  const data = verifiedView(result);
  const text = [ownText(result), ...result.peers.map(peerText)].join('\n');
  const bad = result.peers.reduce((sum, { damaged }) => sum + damaged, result.ownLost);
  if (bad === 0n) return { data, text };
  context.out.print(text);
  const cells = bad === 1n ? 'one cell is' : `${bad} cells are`;
  const hint = 'Look again later (bb status, bb events). A disk that shows damage is a disk to replace.';
  return { data, failure: new BbError('FINDINGS', `${cells} not good yet`, { hint }) };
}

function verifiedView(result: VerifyStorageResult) {
  return {
    own: {
      cells: Number(result.ownCells),
      damaged: Number(result.ownDamaged),
      lost: Number(result.ownLost),
      index_lost: result.indexLost,
      damaged_files: Number(result.damagedFiles),
      files: result.damagedNames.map(nameView),
    },
    held: result.peers.map(({ peer, cells, damaged }) => ({
      peer: peer?.onionServiceId ?? '',
      name: peer?.name ?? '',
      cells: Number(cells),
      damaged: Number(damaged),
    })),
  };
}

function ownText({ ownCells, ownDamaged, ownLost, ...files }: VerifyStorageResult): string {
  const read = `own content: ${formatCount(ownCells, 'cell', 'cells')} read`;
  if (ownDamaged === 0n && ownLost === 0n) return `${read}, all good`;
  if (ownLost === 0n) return `${read}, ${ownDamaged} damaged, all good again`;
  return `${read}, ${ownDamaged} damaged, ${ownLost} given back by no peer in reach\n  ${filesText(files)}`;
}

function filesText({
  indexLost,
  damagedFiles,
  damagedNames,
}: Pick<VerifyStorageResult, 'indexLost' | 'damagedFiles' | 'damagedNames'>): string {
  if (indexLost) return 'the index is among them, so the files that need them cannot be named';
  const more = damagedFiles - BigInt(damagedNames.length);
  const names = damagedNames.map(safeName).join(', ');
  const needed = damagedFiles === 1n ? '1 file needs them' : `${damagedFiles} files need them`;
  return damagedFiles === 0n ? 'no current file needs them' : `${needed}: ${names}${more > 0n ? `, ${more} more` : ''}`;
}

function peerText({ peer, cells, damaged }: VerifiedPeer): string {
  const name = safeText(peer?.name || shortId(peer?.onionServiceId ?? ''));
  const read = `${name}: ${formatCount(cells, 'cell', 'cells')} read`;
  return damaged === 0n ? `${read}, all good` : `${read}, ${damaged} damaged; the owner is told, and they come again`;
}
