// bb storage show.

import { BarterBackupClientService as Service } from '../../src/gen/clirpc/v1/clirpc.ts';
import type { Context } from '../context.ts';
import type { Result } from '../output.ts';
import { storageText } from '../storage-text.ts';
import { storageView } from '../views.ts';

export async function run(context: Context): Promise<Result> {
  const { config, info } = await (await context.client()).unary(Service.getStorageConfig, {});
  return { data: storageView(config, info), text: storageText(config, info) };
}
