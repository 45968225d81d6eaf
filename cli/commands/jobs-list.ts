// bb jobs list: long work of the daemon, whoever started it.

import { BarterBackupClientService as Service } from '../../src/gen/clirpc/v1/clirpc.ts';
import type { Context } from '../context.ts';
import type { Result } from '../output.ts';
import { progressText } from '../progress.ts';
import { safeText } from '../safe-text.ts';
import { jobView } from '../views.ts';

export async function run(context: Context): Promise<Result> {
  const { jobs } = await (await context.client()).unary(Service.status, {});
  const lines = jobs.map((job) => `${safeText(job.job)}  ${safeText(progressText(job))}`);
  return { data: { jobs: jobs.map(jobView) }, text: lines.length === 0 ? 'nothing runs' : lines.join('\n') };
}
