// bb init: makes the identity. Generated words are shown or written once and proved by a small quiz; a typed secret never
// overwrites what peers may hold, unless --new promises that it is unused.

import { hostname } from 'node:os';
import { BbError } from '../../src/core/errors.ts';
import { peerUri } from '../../src/core/ids.ts';
import type { OnionId } from '../../src/core/ids.ts';
import { BarterBackupClientService as Service, NodeState, SecretMode } from '../../src/gen/clirpc/v1/clirpc.ts';
import type { InitResponse } from '../../src/gen/clirpc/v1/clirpc.ts';
import type { Context, Options } from '../context.ts';
import { flagOption, textOption } from '../context.ts';
import { askSecret } from '../ask-secret.ts';
import { ensureDaemon } from '../ensure-daemon.ts';
import { quizWords, reserveKitFile, wordGrid } from '../recovery-kit.ts';
import type { KitFile } from '../recovery-kit.ts';
import type { Result } from '../output.ts';
import { hasNode } from '../paths.ts';
import { askChoice, askText } from '../prompt.ts';
import { hasSecretOption, readSecret, requireChannel, secretSources } from '../secret.ts';
import { answers } from '../start-daemon.ts';

type Kind = 'generate' | 'phrase' | 'password';
type Plan = { readonly kind: Kind; readonly recover: boolean; readonly isNew: boolean };

export async function run(context: Context, _args: readonly string[], options: Options): Promise<Result> {
  const { settings, out } = context;
  const wanted = planOf(options);
  if (await answers(context.paths.socket)) await requireNoIdentity(context, options);
  else if (await hasNode(context.paths.dataDir)) throw hasIdentity();
  const plan = wanted ?? (settings.canAsk ? await askPlan() : GENERATE);
  const kitPath = textOption(options, 'kitFile');
  if (plan.kind === 'generate' && kitPath === undefined && !settings.json && !settings.canAsk) {
    throw new BbError('USAGE', 'without a terminal the 24 words would be lost', {
      hint: 'Use --kit-file FILE, or --json, which returns them once in data.words.',
    });
  }
  // What cannot work leaves no daemon behind that was started for it.
  if (plan.kind === 'password') requireAccount(context, options);
  if (plan.kind !== 'generate') requireChannel(secretSources(options), settings.canAsk);
  await requireNoIdentity(context, options);
  const name = textOption(options, 'name') ?? (settings.canAsk ? await askName() : '');
  const account = plan.kind === 'password' ? await accountOf(options) : '';
  const secret = plan.kind === 'generate' ? Buffer.alloc(0) : await typedSecret(context, options, plan);
  const kit = kitPath === undefined ? undefined : await reserveKitFile(kitPath);
  try {
    const made = await (await context.client()).unary(Service.init, {
      mode: plan.kind === 'password' ? SecretMode.SECRET_MODE_PASSWORD : SecretMode.SECRET_MODE_PHRASE,
      generate: plan.kind === 'generate',
      mainPassword: secret,
      account,
      allowWeak: flagOption(options, 'allowWeakPassword'),
      name,
      newIdentity: plan.isNew,
    });
    await kit?.write(made.words);
    if (kit === undefined && made.words.length > 0 && !settings.json) await showWords(context, made.words);
    if (plan.recover) out.note('This node looks for peers that hold its content: bb recover');
    return resultOf(made, kit);
  } catch (error) {
    await kit?.abandon();
    throw error;
  } finally {
    secret.fill(0);
  }
}

/** Starts a daemon when none answers. */
async function requireNoIdentity(context: Context, options: Options): Promise<void> {
  const { state } = await ensureDaemon(context, options);
  if (state === NodeState.NODE_STATE_NOT_INITIALISED) return;
  throw hasIdentity();
}

function hasIdentity(): BbError {
  return new BbError('ALREADY_INITIALISED', 'this data directory has an identity already');
}

const GENERATED_OR_TYPED = 'New words: leave out --new and --recover. Your own: leave out --generate and --kit-file.';
const GENERATE: Plan = { kind: 'generate', recover: false, isNew: true };

/** What the options say; undefined when they say nothing and a person may be asked. */
function planOf(options: Options): Plan | undefined {
  const flag = (name: string): boolean => flagOption(options, name);
  const ownPassword = flag('ownPassword') || textOption(options, 'account') !== undefined;
  const typed = flag('recover') || flag('new') || ownPassword || hasSecretOption(secretSources(options));
  const generate = flag('generate') || textOption(options, 'kitFile') !== undefined;
  if (generate && typed)
    throw new BbError('USAGE', 'words are either generated or typed, not both', { hint: GENERATED_OR_TYPED });
  if (flag('recover') && flag('new')) throw new BbError('USAGE', '--recover and --new contradict each other');
  if (generate) return GENERATE;
  if (!typed) return undefined;
  const kind = ownPassword ? 'password' : 'phrase';
  if (kind === 'phrase' && flag('allowWeakPassword')) {
    throw new BbError('USAGE', '--allow-weak-password belongs to --own-password');
  }
  if (kind === 'phrase' && !flag('recover') && !flag('new')) {
    throw new BbError('USAGE', 'typed words need --recover (they were used before) or --new (they never were)');
  }
  return { kind, recover: flag('recover'), isNew: flag('new') || (flag('ownPassword') && !flag('recover')) };
}

async function askPlan(): Promise<Plan> {
  const choice = await askChoice('Secret', [
    { value: 'generate', label: 'generate 24 words' },
    { value: 'own', label: 'type my own password and an account name' },
    { value: 'words', label: 'I have 24 words: recover a node' },
    { value: 'recover-own', label: 'I have a password and an account name: recover a node' },
  ]);
  if (choice === 'generate') return GENERATE;
  const recover = choice !== 'own';
  return { kind: choice === 'words' ? 'phrase' : 'password', recover, isNew: !recover };
}

function askName(): Promise<string> {
  return askText('What should friends call this machine?', hostname());
}

function requireAccount({ settings }: Context, options: Options): void {
  if (textOption(options, 'account') !== undefined || settings.canAsk) return;
  throw new BbError('USAGE', 'a password of your own needs an account name', { hint: 'Use --account NAME.' });
}

async function accountOf(options: Options): Promise<string> {
  return textOption(options, 'account') ?? askText('Account name (you need it to recover)');
}

async function typedSecret(context: Context, options: Options, plan: Plan): Promise<Buffer> {
  const { settings, out } = context;
  const sources = secretSources(options);
  const question = plan.kind === 'phrase' ? 'The 24 words' : 'Password';
  const secret = await readSecret(sources, question, settings.canAsk, (text) => out.warn(text));
  const typedByHand = settings.canAsk && !hasSecretOption(sources);
  if (plan.kind === 'password' && !plan.recover && typedByHand) {
    const again = await askSecret('The same password again');
    const same = secret.equals(again);
    again.fill(0);
    if (!same) {
      throw new BbError('USAGE', 'the two passwords differ; nothing was changed');
    }
  }
  return secret;
}

async function showWords(context: Context, words: readonly string[]): Promise<void> {
  context.out.print(`RECOVERY KIT (24 words): the only way back if this disk dies\n${wordGrid(words)}`);
  context.out.note('Write them on paper now. They are never shown again.');
  await quizWords(words);
}

function resultOf(made: InitResponse, kit: KitFile | undefined): Result {
  const uri = peerUri(made.onionServiceId as OnionId);
  const words = made.words.length > 0 && kit === undefined ? { words: made.words } : {};
  const kitFile = kit === undefined ? {} : { kit_file: kit.path };
  return {
    data: { onion_id: made.onionServiceId, uri, ...words, ...kitFile },
    text: `${kit === undefined ? '' : `The 24 words are in ${kit.path}: print it, then remove it.\n`}Your address: ${uri}`,
  };
}
