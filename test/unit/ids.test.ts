// Onion ids: what a person pastes becomes exactly one name, and a typing error never becomes another peer.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { isBbError } from '../../src/core/errors.ts';
import { onionIdFromPubkey, parseOnionId, peerUri, pubkeyFromOnionId } from '../../src/core/ids.ts';

// The address of the Tor Project's own site: an id that other software made.
const KNOWN = '2gzyxa5ihm7nsggfxnu52rck2vv4rvmdlkiu3zzui5du4xyclen53wid';
const refused = (error: unknown): boolean => isBbError(error, 'BAD_ONION_ID');

describe('parseOnionId', () => {
  const spellings = [
    KNOWN,
    KNOWN.toUpperCase(),
    `${KNOWN}.onion`,
    `bb:${KNOWN}`,
    `BB:${KNOWN}`,
    `bb://${KNOWN}`,
    ` ${KNOWN}\n`,
  ];
  for (const text of spellings) {
    test(`takes ${JSON.stringify(text)}`, () => assert.equal(parseOnionId(text), KNOWN));
  }

  const bad: readonly [string, string][] = [
    ['nothing', ''],
    ['only the scheme', 'bb:'],
    ['55 characters', KNOWN.slice(1)],
    ['57 characters', `${KNOWN}a`],
    ['a character outside base32', `1${KNOWN.slice(1)}`],
    ['a look-alike beyond ASCII', `${KNOWN.slice(0, -1)}ԁ`],
    ['a path behind it', `${KNOWN}.onion/x`],
    ['another scheme', `http://${KNOWN}`],
    ['an inner blank', `${KNOWN.slice(0, 28)} ${KNOWN.slice(28)}`],
    ['version 2 in the last byte', `${KNOWN.slice(0, -1)}c`],
  ];
  for (const [what, text] of bad) {
    test(`refuses ${what}`, () => assert.throws(() => parseOnionId(text), refused));
  }

  test('refuses every single wrong character', () => {
    const alphabet = 'abcdefghijklmnopqrstuvwxyz234567';
    for (let at = 0; at < KNOWN.length; at++) {
      const other = alphabet[(alphabet.indexOf(KNOWN[at] as string) + 1) % 32] as string;
      const text = KNOWN.slice(0, at) + other + KNOWN.slice(at + 1);
      assert.throws(() => parseOnionId(text), refused, `position ${at}`);
    }
  });
});

describe('onion id of a key', () => {
  test('key to id to key, for any 32 bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 32, maxLength: 32 }), (pubkey) => {
        const id = onionIdFromPubkey(pubkey);
        assert.equal(parseOnionId(peerUri(id)), id);
        assert.deepEqual(pubkeyFromOnionId(id), Buffer.from(pubkey));
      }),
    );
  });

  for (const bytes of [0, 31, 33, 35]) {
    test(`refuses a key of ${bytes} bytes`, () => assert.throws(() => onionIdFromPubkey(Buffer.alloc(bytes)), refused));
  }
});
