// bb config get: one setting.

import { BbError } from '../../src/core/errors.ts';
import { BarterBackupClientService as Service } from '../../src/gen/clirpc/v1/clirpc.ts';
import type { Context } from '../context.ts';
import type { Result } from '../output.ts';

export async function run(context: Context, [wanted = '']: readonly string[]): Promise<Result> {
  const { settings } = await (await context.client()).unary(Service.getConfig, {});
  const setting = settings.find(({ key }) => key === wanted);
  if (setting === undefined) {
    throw new BbError('USAGE', 'there is no such setting', { hint: 'bb config list shows all of them.' });
  }
  return { data: { key: setting.key, value: setting.value }, text: setting.value };
}
