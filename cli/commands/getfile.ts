// bb getfile: one file or folder out of the backup, to OUT or to a pipe (no OUT, or `-`).

import { BbError } from '../../src/core/errors.ts';
import { BarterBackupClientService as Service } from '../../src/gen/clirpc/v1/clirpc.ts';
import type { Context, Options } from '../context.ts';
import { flagOption } from '../context.ts';
import { extractTo } from '../extract-to.ts';
import type { Result } from '../output.ts';
import { pipeOut } from '../pipe-out.ts';
import { namedBy } from '../stored-name.ts';

export async function run(context: Context, args: readonly string[], options: Options): Promise<Result> {
  const { name, rest } = namedBy(args, options);
  const out = rest[0] === '-' ? undefined : rest[0];
  if (name.length === 0) throw new BbError('USAGE', 'name what to get', { hint: 'bb listfiles shows all names.' });
  if (out === undefined && context.settings.json) {
    throw new BbError('USAGE', 'with --json the bytes cannot go to stdout', { hint: 'Name OUT.' });
  }
  const items = (await context.client()).stream(Service.getFile, { name });
  if (out !== undefined) return extractTo(context, items, { name, out, force: flagOption(options, 'force') });
  await pipeOut(items, { name, stdout: process.stdout });
  return { data: {} };
}
