// bb rmfile: removes a name and everything below it. The bytes stay recoverable for the hold of the contracts.

import { BbError } from '../../src/core/errors.ts';
import { BarterBackupClientService as Service } from '../../src/gen/clirpc/v1/clirpc.ts';
import type { Context, Options } from '../context.ts';
import { flagOption } from '../context.ts';
import { formatCount } from '../format.ts';
import type { Result } from '../output.ts';
import { requireConfirmation } from '../prompt.ts';
import { safeName } from '../safe-text.ts';
import { namedBy } from '../stored-name.ts';
import { nameView, revisionView } from '../views.ts';

export async function run(context: Context, args: readonly string[], options: Options): Promise<Result> {
  const { name, rest } = namedBy(args, options);
  if (name.length === 0 || rest.length > 0) throw new BbError('USAGE', 'name one thing to remove');
  const dryRun = flagOption(options, 'dryRun');
  const client = await context.client();
  if (!dryRun && !context.settings.yes) {
    const { removedFiles } = await client.unary(Service.removeFile, { name, dryRun: true });
    const many = formatCount(removedFiles, 'entry', 'entries');
    await requireConfirmation(context.settings, `Remove ${safeName(name)} (${many}) from the backup?`);
  }
  const answer = await client.unary(Service.removeFile, { name, dryRun });
  const many = formatCount(answer.removedFiles, 'entry', 'entries');
  return {
    data: {
      ...nameView(name),
      dry_run: dryRun,
      removed_files: Number(answer.removedFiles),
      revision: dryRun ? null : revisionView(answer.revision),
    },
    text: dryRun ? `${safeName(name)}: ${many} would be removed` : `${safeName(name)}: ${many} removed`,
  };
}
