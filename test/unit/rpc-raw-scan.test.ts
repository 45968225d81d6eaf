// The scan before the decoder: it takes what protobuf writes, refuses what only an attacker writes, and throws nothing else.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { MESSAGE_FIELDS } from '../../src/core/limits.ts';
import { PeerExchangeResponse } from '../../src/gen/bbrpc/v1/bbrpc.ts';
import { scanMessage } from '../../src/rpc/raw-scan.ts';
import { MalformedMessage } from '../../src/rpc/wire-checks.ts';

const field = Buffer.from([0x08, 0x01]);
const repeat = (part: Buffer, count: number): Buffer => Buffer.concat(Array.from({ length: count }, () => part));

test('what an encoder writes passes', () => {
  const peers = Array.from({ length: 64 }, (_, index) => ({ onionPubkey: Buffer.alloc(32, index) }));
  scanMessage(PeerExchangeResponse.encode({ peers, unlisted: true }).finish(), { 1: {} });
  scanMessage(Buffer.alloc(0), {});
  // One of each wire type, with the largest varint and the largest field number.
  scanMessage(Buffer.from('08ffffffffffffffffff01', 'hex'), {});
  scanMessage(Buffer.from('09000000000000000015000000001a0161', 'hex'), {});
  scanMessage(Buffer.from('f8ffffff0f01', 'hex'), {});
});

test('the number of fields is bounded, nested ones counted', () => {
  scanMessage(repeat(field, MESSAGE_FIELDS - 1), {});
  scanMessage(repeat(field, MESSAGE_FIELDS), {});
  assert.throws(() => scanMessage(repeat(field, MESSAGE_FIELDS + 1), {}), MalformedMessage);
  const nested = Buffer.concat([Buffer.from([0x0a, 100]), repeat(field, 50)]);
  assert.throws(() => scanMessage(repeat(nested, Math.ceil(MESSAGE_FIELDS / 51) + 1), { 1: {} }), MalformedMessage);
  scanMessage(repeat(nested, Math.ceil(MESSAGE_FIELDS / 51) + 1), {});
});

test('broken structure is refused, at the top and inside a known field', () => {
  const broken: Record<string, string> = {
    'a group begins': '0b0c',
    'a group ends': '0c',
    'wire type 6': '0e00',
    'wire type 7': '0f00',
    'field zero': '0001',
    'field number beyond 29 bits': '808080801001',
    'a number of 11 bytes': `08${'80'.repeat(10)}01`,
    'a number that is cut': '0880',
    'bytes that are cut': '1a0261',
    'a length of 2^63': '1aff' + 'ff'.repeat(8) + '7f',
    'eight bytes that are cut': '0900000000000000',
    'four bytes that are cut': '15000000',
  };
  for (const [name, hex] of Object.entries(broken)) {
    const bytes = Buffer.from(hex, 'hex');
    assert.throws(() => scanMessage(bytes, {}), MalformedMessage, name);
    const inside = Buffer.concat([Buffer.from([0x0a, bytes.length]), bytes]);
    assert.throws(() => scanMessage(inside, { 1: {} }), MalformedMessage, `${name}, inside`);
    // The same bytes in a field that nobody decodes are only bytes.
    scanMessage(inside, {});
  }
});

test('any bytes pass or are malformed, and what passes is decoded without a thrown error', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
      try {
        scanMessage(bytes, { 1: {} });
      } catch (error) {
        assert.ok(error instanceof MalformedMessage);
        return;
      }
      PeerExchangeResponse.decode(bytes);
    }),
    { numRuns: 2000 },
  );
});
