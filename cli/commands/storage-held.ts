// bb storage held: what lies here for whom, and until when.

import { formatBytes } from '../../src/core/format-bytes.ts';
import { BarterBackupClientService as Service } from '../../src/gen/clirpc/v1/clirpc.ts';
import type { HeldInfo } from '../../src/gen/clirpc/v1/clirpc.ts';
import type { Context } from '../context.ts';
import { formatSeconds, formatTable, shortId } from '../format.ts';
import type { Result } from '../output.ts';
import { safeText } from '../safe-text.ts';
import { heldView } from '../views.ts';

export async function run(context: Context): Promise<Result> {
  const { held } = await (await context.client()).unary(Service.getHeld, {});
  return {
    data: { held: held.map(heldView) },
    text: held.length === 0 ? 'Nothing is held for peers.' : heldText(held),
  };
}

function heldText(held: readonly HeldInfo[]): string {
  const head = ['PEER', 'STATE', 'USES', 'OF', 'OLDER', 'KEPT FOR', 'CAN GO'];
  const rows = held.map((row) => [
    safeText(row.peer?.name || shortId(row.peer?.onionServiceId ?? '')),
    safeText(row.state || '-'),
    formatBytes(row.chargeBytes),
    formatBytes(row.promisedBytes),
    String(row.keptRevisions),
    formatSeconds(row.remainingSeconds > row.holdSeconds ? row.remainingSeconds : row.holdSeconds),
    formatBytes(row.evictableBytes),
  ]);
  return formatTable([head, ...rows]);
}
