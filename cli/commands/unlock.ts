// bb unlock: gives the secret to the daemon, which it starts when none answers.

import { BbError } from '../../src/core/errors.ts';
import { peerUri } from '../../src/core/ids.ts';
import type { OnionId } from '../../src/core/ids.ts';
import { BarterBackupClientService as Service, NodeState } from '../../src/gen/clirpc/v1/clirpc.ts';
import type { Context, Options } from '../context.ts';
import { flagOption } from '../context.ts';
import { ensureDaemon } from '../ensure-daemon.ts';
import type { Result } from '../output.ts';
import { isUnused } from '../paths.ts';
import { hasSecretOption, readSecret, secretSources } from '../secret.ts';
import { answers } from '../start-daemon.ts';

export async function run(context: Context, _args: readonly string[], options: Options): Promise<Result> {
  const { settings, out } = context;
  // A mistyped --data-dir must not become a folder with a daemon in it.
  const mayStart = flagOption(options, 'start') && !(await answers(context.paths.socket));
  if (mayStart && (await isUnused(context.paths.dataDir))) throw noIdentity();
  const { state } = await ensureDaemon(context, options);
  if (state === NodeState.NODE_STATE_NOT_INITIALISED) throw noIdentity();
  const sources = secretSources(options);
  const client = await context.client();
  if (state === NodeState.NODE_STATE_UNLOCKED && !hasSecretOption(sources)) {
    return resultOf((await client.unary(Service.status, {})).onionServiceId, 'It is unlocked already.');
  }
  const secret = await readSecret(sources, 'The 24 words or the password', settings.canAsk, (text) => out.warn(text));
  try {
    const { onionServiceId } = await client.unary(Service.unlock, { mainPassword: secret });
    return resultOf(onionServiceId, 'Unlocked.');
  } finally {
    secret.fill(0);
  }
}

function noIdentity(): BbError {
  return new BbError('NOT_INITIALISED', 'this data directory has no identity yet');
}

function resultOf(onionId: string, words: string): Result {
  const uri = peerUri(onionId as OnionId);
  return { data: { onion_id: onionId, uri }, text: `${words} Your address: ${uri}` };
}
