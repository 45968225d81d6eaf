// Keys of the directory authorities of the private Tor network. tor-gencert needs up to seconds for one key, so they
// are kept in .cache/ of the checkout for half the life of their certificates; they are worth nothing outside of it.

import { spawnSync } from 'node:child_process';
import { createHash, createPublicKey, generateKeyPairSync } from 'node:crypto';
import { cpSync, existsSync, mkdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

export type AuthorityKeys = {
  /** Folder with authority_identity_key, authority_signing_key, authority_certificate and secret_id_key. */
  readonly folder: string;
  /** 40 hex digits: the v3 identity in the certificate. */
  readonly v3Identity: string;
  /** 40 hex digits: SHA-1 of the relay's RSA key. */
  readonly fingerprint: string;
};

const CERTIFICATE_MONTHS = 12;
const CACHE_LIFE_MS = 180 * 24 * 3600 * 1000;
const cache = new URL('../../.cache/private-tor/', import.meta.url).pathname;

/** The keys of authority number `index`, from the cache or newly made. */
export function authorityKeys(index: number): AuthorityKeys {
  const folder = join(cache, `authority-${index}`);
  const certificate = join(folder, 'authority_certificate');
  if (!existsSync(certificate) || Date.now() - statSync(certificate).mtimeMs > CACHE_LIFE_MS) makeKeys(folder);
  const v3Identity = /^fingerprint ([0-9A-F]{40})$/m.exec(readFileSync(certificate, 'utf8'))?.[1];
  if (v3Identity === undefined) throw new Error('private network: an authority certificate names no fingerprint');
  const relay = createPublicKey(readFileSync(join(folder, 'secret_id_key'), 'utf8'));
  const der = relay.export({ type: 'pkcs1', format: 'der' });
  return { folder, v3Identity, fingerprint: createHash('sha1').update(der).digest('hex').toUpperCase() };
}

/** Puts copies of the keys where tor looks for them. */
export function installKeys(keys: AuthorityKeys, dataDirectory: string): void {
  cpSync(keys.folder, join(dataDirectory, 'keys'), { recursive: true });
}

/** Made beside the cache and renamed into it, so that a second run never sees half a set. */
function makeKeys(folder: string): void {
  const fresh = `${folder}.${process.pid}`;
  mkdirSync(fresh, { recursive: true, mode: 0o700 });
  const names = ['identity_key', 'signing_key', 'certificate'].map((name) => join(fresh, `authority_${name}`));
  const [identity = '', signing = '', certificate = ''] = names;
  const made = spawnSync(
    'tor-gencert',
    ['--create-identity-key', '-i', identity, '-s', signing, '-c', certificate].concat([
      ...['-m', String(CERTIFICATE_MONTHS), '--passphrase-fd', '0'],
    ]),
    { input: 'not a secret\n', encoding: 'utf8' },
  );
  if (made.status !== 0) throw new Error(`private network: tor-gencert failed: ${made.error ?? made.stderr}`);
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 1024 });
  writeFileSync(join(fresh, 'secret_id_key'), privateKey.export({ type: 'pkcs1', format: 'pem' }), { mode: 0o600 });
  rmSync(folder, { recursive: true, force: true });
  try {
    renameSync(fresh, folder);
  } catch (error) {
    rmSync(fresh, { recursive: true, force: true });
    if (!existsSync(folder)) throw error;
  }
}
