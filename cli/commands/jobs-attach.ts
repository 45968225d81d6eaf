// bb jobs attach: the progress of a job until it ends. The job does not notice: leaving stops nothing, and a job that ended a
// moment ago says how.

import { BbError } from '../../src/core/errors.ts';
import { BarterBackupClientService as Service } from '../../src/gen/clirpc/v1/clirpc.ts';
import type { Progress } from '../../src/gen/clirpc/v1/clirpc.ts';
import type { Context } from '../context.ts';
import type { Result } from '../output.ts';
import { safeText } from '../safe-text.ts';

const LIST_HINT = 'bb jobs list names what runs.';

export async function run(context: Context, [named]: readonly string[]): Promise<Result> {
  const client = await context.client();
  const running = async () => (await client.unary(Service.status, {})).jobs;
  const name = named ?? onlyOne(await running()).job;
  let isKnown = false;
  for await (const event of client.stream(Service.events, { progress: true, recent: true })) {
    const { progress, attributes } = event;
    isKnown ||= event.name === 'job-started' && attributes['job'] === name;
    if (event.name === 'job-ended' && attributes['job'] === name) return ended(name, attributes['outcome'] ?? '');
    if (progress?.job === name) context.out.progress(progress);
    if (event.name !== 'subscribed') continue;
    const now = (await running()).find(({ job }) => job === name);
    if (now !== undefined) context.out.progress(now);
    // It may have ended since, and then the event of it is on its way.
    else if (!isKnown) {
      throw new BbError('NOT_FOUND', `no job "${safeText(name)}" runs`, { hint: LIST_HINT });
    }
  }
  throw new BbError('DAEMON_NOT_RUNNING', 'the daemon ended');
}

function ended(name: string, outcome: string): Result {
  const data = { job: name, outcome };
  if (outcome === 'done') return { data, text: `${safeText(name)}: done` };
  const failure = new BbError('PARTIAL', `the job ${safeText(name)} did not come to its end`, {
    hint: 'bb status says what is missing; what is due is tried again by itself.',
  });
  return { data, failure };
}

function onlyOne(jobs: readonly Progress[]): Progress {
  const [job, ...others] = jobs;
  if (job === undefined) throw new BbError('NOT_FOUND', 'nothing runs');
  if (others.length > 0) throw new BbError('USAGE', 'several jobs run; name one', { hint: LIST_HINT });
  return job;
}
