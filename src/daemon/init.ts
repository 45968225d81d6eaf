// Makes the identity of an empty data directory. The secret becomes keys, two random directory keys
// are wrapped under them, and nothing that could recover the secret is written.
// Invariant: typed secret = never overwrite. A node whose secret was typed starts `blocked`, because
// somebody may hold content under it; only a phrase generated just now cannot have holders.

import { Keyring } from '../core/crypto/keyring.ts';
import { DIR_KEY_BYTES } from '../core/crypto/dir-keys.ts';
import { normaliseAccount, normalisePassword, normalisePhrase } from '../core/crypto/normalise.ts';
import { phraseFromEntropy } from '../core/crypto/phrase.ts';
import { requirePlainName } from '../core/display-name.ts';
import { BbError } from '../core/errors.ts';
import { MIN_REPLICAS_DEFAULT, STORAGE_LIMIT_DEFAULT_BYTES } from '../core/limits.ts';
import type { NodeMode, NodeRecord, SettingsRecord } from '../core/records.ts';
import { SCRUB_START } from '../core/policy/scrub.ts';
import type { Deps } from './deps.ts';
import type { InitArgs } from './local-api.ts';

export type InitialRecords = { readonly settings: SettingsRecord; readonly node: NodeRecord };

export type NewIdentity = {
  readonly keyring: Keyring;
  /** The generated words; empty for a typed secret. */
  readonly words: readonly string[];
  readonly initial: InitialRecords;
};

/** ALREADY_INITIALISED, BAD_PHRASE, WEAK_PASSWORD, USAGE. Wipes `args.secret`. */
export async function createIdentity(deps: Deps, args: InitArgs): Promise<NewIdentity> {
  if ((await deps.dataDir.readHeader()) !== undefined) {
    throw new BbError('ALREADY_INITIALISED', 'this data directory has an identity already');
  }
  requirePlainName(args.name);
  const { text, account } = await chooseSecret(deps, args);
  const keyring = await deriveKeyring(deps, text, args.mode, account);
  const wrapKey = deps.random.bytes(DIR_KEY_BYTES);
  const rowKey = deps.random.bytes(DIR_KEY_BYTES);
  await deps.dataDir.writeHeader({
    format: 1,
    createdMs: deps.clock.nowMs(),
    mode: args.mode,
    account,
    verify: keyring.verifyTag(),
    wrappedWrapKey: keyring.wrapDirKey('wrap', wrapKey),
    wrappedRowKey: keyring.wrapDirKey('row', rowKey),
  });
  wrapKey.fill(0);
  rowKey.fill(0);
  const mode = args.generate ? 'normal' : 'blocked';
  return {
    keyring,
    words: args.generate ? text.split(' ') : [],
    initial: initialRecords(deps, mode, args.name, args.newIdentity),
  };
}

/** What a node knows before anything happened to it. */
export function initialRecords(deps: Deps, mode: NodeMode, name: string, newIdentity: boolean): InitialRecords {
  return {
    settings: {
      name,
      storageLimitBytes: STORAGE_LIMIT_DEFAULT_BYTES,
      minReplicas: MIN_REPLICAS_DEFAULT,
      approval: 'added',
      unlisted: false,
    },
    node: {
      mode,
      modeSinceMs: deps.clock.nowMs(),
      baseGeneration: 0,
      baseSequence: 0,
      baseContentId: Buffer.alloc(0),
      countedSeconds: 0,
      dirty: false,
      recoveringId: Buffer.alloc(0),
      firstAnswerSeconds: -1,
      acceptedSequence: 0,
      newIdentity,
      belowSeconds: -1,
      missingFiles: 0,
      missingNames: [],
      forks: [],
      scrub: SCRUB_START,
    },
  };
}

/** Argon2id off the event loop, then all keys of the identity. */
export async function deriveKeyring(
  deps: Deps,
  text: string,
  mode: 'phrase' | 'password',
  account: string,
): Promise<Keyring> {
  const secret = Buffer.from(text, 'utf8');
  const master = await deps.workers.deriveMaster(secret, mode, account);
  secret.fill(0);
  const keyring = new Keyring(master);
  master.fill(0);
  return keyring;
}

async function chooseSecret(deps: Deps, args: InitArgs): Promise<{ readonly text: string; readonly account: string }> {
  if (args.generate) {
    if (args.mode !== 'phrase') throw new BbError('USAGE', 'only a phrase can be generated');
    const entropy = deps.random.bytes(32);
    const text = phraseFromEntropy(entropy);
    entropy.fill(0);
    return { text, account: '' };
  }
  const typed = args.secret.toString('utf8');
  args.secret.fill(0);
  if (args.mode === 'phrase') return { text: normalisePhrase(typed), account: '' };
  const text = normalisePassword(typed);
  if (/^([a-z]+ ){23}[a-z]+$/.test(text.toLowerCase().trim())) {
    throw new BbError('USAGE', 'this looks like 24 words, not like a password of your own', {
      hint: 'Leave out --own-password and --account.',
    });
  }
  const account = normaliseAccount(args.account);
  await deps.checkPassword(text, account, args.allowWeak);
  return { text, account };
}
