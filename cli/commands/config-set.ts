// bb config set: changes one setting; it is part of the backup.

import { BarterBackupClientService as Service } from '../../src/gen/clirpc/v1/clirpc.ts';
import type { Context } from '../context.ts';
import type { Result } from '../output.ts';
import { configResult } from './config-list.ts';

export async function run(context: Context, [key = '', value = '']: readonly string[]): Promise<Result> {
  return configResult((await (await context.client()).unary(Service.setConfig, { key, value })).settings);
}
