// bb config list: the settings that are policy.

import { BarterBackupClientService as Service } from '../../src/gen/clirpc/v1/clirpc.ts';
import type { ConfigSetting } from '../../src/gen/clirpc/v1/clirpc.ts';
import type { Context } from '../context.ts';
import { formatTable } from '../format.ts';
import type { Result } from '../output.ts';

export async function run(context: Context): Promise<Result> {
  return configResult((await (await context.client()).unary(Service.getConfig, {})).settings);
}

export function configResult(settings: readonly ConfigSetting[]): Result {
  return {
    data: { settings: Object.fromEntries(settings.map(({ key, value }) => [key, value])) },
    text: formatTable(settings.map(({ key, value, meaning }) => [key, value, meaning])),
  };
}
