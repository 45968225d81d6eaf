// What people type and what files of theirs say: secrets, ids, names, sizes, the configuration.

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { nameParts, partsBelow } from '../../../cli/entry-path.ts';
import { parseCount, parseDuration, parseSize } from '../../../cli/quantity.ts';
import { safeName, safeText } from '../../../cli/safe-text.ts';
import { storedName } from '../../../cli/stored-name.ts';
import { parseArguments } from '../../../src/app/arguments.ts';
import { readConfig } from '../../../src/app/config.ts';
import { escapeName, isName, validateName } from '../../../src/core/content/path.ts';
import { ed25519KeyOfCertificate, selfSignedCertificate } from '../../../src/core/crypto/certificate.ts';
import { ed25519Pair, isAcceptablePubkey } from '../../../src/core/crypto/ed25519.ts';
import { normaliseAccount, normalisePassword, normalisePhrase } from '../../../src/core/crypto/normalise.ts';
import { phraseFromEntropy } from '../../../src/core/crypto/phrase.ts';
import { onionIdFromPubkey, parseOnionId, pubkeyFromOnionId } from '../../../src/core/ids.ts';
import { mutateBytes } from '../mutate-bytes.ts';
import { mutateText } from '../mutate-text.ts';
import { sound } from '../target.ts';
import type { Target } from '../target.ts';

const ONION = onionIdFromPubkey(Buffer.alloc(32, 1));
const CERTIFICATE = selfSignedCertificate(ed25519Pair(Buffer.alloc(32, 2)).privateKey, Buffer.alloc(16, 3));
const UNSAFE = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/u;

const lines =
  (...texts: string[]) =>
  () =>
    texts.map((text) => Buffer.from(text));

/** A parser of text whose answer, read again, must be itself. */
function stable(name: string, seeds: readonly string[], parse: (text: string) => string, refusal: string): Target {
  return {
    name,
    mutate: mutateText,
    seeds: lines(...seeds),
    read: (input) => {
      const text = parse(input.toString('utf8'));
      sound(parse(text) === text, 'the normal form is its own normal form');
      return text;
    },
    refusals: [refusal],
  };
}

function quantity(name: string, seeds: readonly string[], parse: (text: string) => number): Target {
  return {
    name,
    mutate: mutateText,
    seeds: lines(...seeds),
    read: (input) => {
      const value = parse(input.toString('utf8'));
      sound(Number.isSafeInteger(value) && value >= 0, 'a quantity is a natural number');
      return value;
    },
    refusals: ['USAGE'],
  };
}

let configDir: string | undefined;

function readConfigText(input: Buffer): unknown {
  if (configDir === undefined) {
    configDir = mkdtempSync(join(tmpdir(), 'bb-fuzz-'));
    const made = configDir;
    process.once('exit', () => rmSync(made, { recursive: true, force: true }));
  }
  writeFileSync(join(configDir, 'config.toml'), input);
  return readConfig({ 'data-dir': configDir });
}

export const WORD_TARGETS: readonly Target[] = [
  stable(
    'onion id',
    [ONION, `bb:${ONION}`, `bb://${ONION}.onion`, ` ${ONION.toUpperCase()} `],
    parseOnionId,
    'BAD_ONION_ID',
  ),
  stable(
    'phrase',
    [phraseFromEntropy(Buffer.alloc(32, 5)), phraseFromEntropy(Buffer.alloc(32, 250))],
    normalisePhrase,
    'BAD_PHRASE',
  ),
  stable('password', ['correct horse', 'pässwörd ünd mehr'], normalisePassword, 'USAGE'),
  stable('account', ['ann', 'A.nn@example-1'], normaliseAccount, 'USAGE'),
  quantity('size', ['20GiB', '500MB', '1048576', '1.5 k'], parseSize),
  quantity('duration', ['90s', '1h30m', '30d', '5'], parseDuration),
  quantity('count', ['0', '17', ' 64 '], (text) => parseCount(text, 0, 64)),
  {
    name: 'public key',
    mutate: mutateBytes,
    seeds: () => [pubkeyFromOnionId(onionIdFromPubkey(ed25519Pair(Buffer.alloc(32, 2)).pubkey))],
    read: (input) => isAcceptablePubkey(input),
    refusals: [],
  },
  {
    name: 'certificate',
    mutate: mutateBytes,
    seeds: () => [CERTIFICATE],
    read: (input) => {
      const key = ed25519KeyOfCertificate(input);
      sound(key === undefined || key.length === 32, 'a key of a certificate has 32 bytes');
      return key;
    },
    refusals: [],
  },
  {
    name: 'stored name',
    mutate: mutateText,
    seeds: lines('docs/a', 'ä\\b', 'a'),
    read: (input) => {
      sound(!UNSAFE.test(escapeName(input)), 'an escaped name holds no control character');
      validateName(input);
      sound(isName(input) && !input.includes(0), 'a valid name is a name');
      sound(
        input
          .toString('latin1')
          .split('/')
          .every((part) => !['', '.', '..'].includes(part)),
        'a name stays inside',
      );
      return input;
    },
    refusals: ['BAD_NAME'],
  },
  {
    name: 'name to write below a folder',
    mutate: mutateText,
    seeds: lines('docs/a', 'docs/deep/er'),
    read: (input) => {
      const parts = partsBelow(input, Buffer.from('docs'));
      sound(nameParts(input).length === parts.length + 1, 'a name below a folder is one component shorter');
      sound(
        parts.every((part) => !part.includes(0x2f) && !['', '.', '..'].includes(part.toString('latin1'))),
        'stays inside',
      );
      return parts;
    },
    refusals: ['INTEGRITY'],
  },
  {
    name: 'typed name',
    mutate: mutateText,
    seeds: lines('docs/a/', 'ä'),
    read: (input) => storedName(input.toString('utf8')),
    refusals: ['BAD_NAME'],
  },
  {
    name: 'text for a terminal',
    mutate: mutateText,
    seeds: lines('plain', 'zwei Wörter\\'),
    read: (input) => {
      sound(!UNSAFE.test(safeName(input)), 'a shown name holds no control character');
      sound(!UNSAFE.test(safeText(input.toString('utf8'))), 'a shown text holds no control character');
      return true;
    },
    refusals: [],
  },
  {
    name: 'configuration',
    mutate: mutateText,
    seeds: lines(
      '[log]\nlevel = "debug"\n',
      '[tor]\nbinary = "/usr/bin/tor"\ncontrol = "/run/c"\n[test]\ntime_divisor = 1\n',
    ),
    read: readConfigText,
    refusals: ['BAD_CONFIG'],
  },
  {
    name: 'arguments of bbd',
    mutate: mutateText,
    seeds: lines('--data-dir\0/tmp/x\0--log-level=debug', '--check-config'),
    read: (input) => parseArguments(input.toString('utf8').split('\0')),
    refusals: ['USAGE'],
  },
];
