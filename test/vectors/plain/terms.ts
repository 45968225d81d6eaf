// Terms by the second implementation: the fixed layout written down field by field, and what both sides sign.

import { ed25519 } from '@noble/curves/ed25519.js';
import { sha256 } from '@noble/hashes/sha2.js';
import { ascii, be, hex, join, recipe } from './bytes.ts';
import type { Change } from './malformed.ts';

const DAY = 86_400;
const PROPOSER = recipe('proposer seed', 32);
const ACCEPTOR = recipe('acceptor seed', 32);

/** The numbers of terms in the order of the layout, each with its width. */
const LAYOUT = [
  ['bytesProposer', 8],
  ['bytesAcceptor', 8],
  ['durationSeconds', 8],
  ['checkPeriodSeconds', 4],
  ['holdSeconds', 4],
  ['graceInitialSeconds', 4],
  ['graceRatePermille', 4],
  ['graceCapSeconds', 4],
  ['noticeSeconds', 4],
] as const;
type Numbers = Record<(typeof LAYOUT)[number][0], number>;

const USUAL: Numbers = {
  bytesProposer: 20 * 2 ** 30,
  bytesAcceptor: 10 * 2 ** 30,
  durationSeconds: 0,
  checkPeriodSeconds: DAY,
  holdSeconds: 7 * DAY,
  graceInitialSeconds: 30 * DAY,
  graceRatePermille: 500,
  graceCapSeconds: 90 * DAY,
  noticeSeconds: 30 * DAY,
};
const EXTREME: Numbers = {
  bytesProposer: 2 ** 53 - 1,
  bytesAcceptor: 0,
  durationSeconds: 2 ** 53 - 1,
  checkPeriodSeconds: 3600,
  holdSeconds: 90 * DAY,
  graceInitialSeconds: 0,
  graceRatePermille: 1000,
  graceCapSeconds: DAY,
  noticeSeconds: 365 * DAY,
};

function encode(version: number, numbers: Numbers, nonce: Uint8Array): Uint8Array {
  const sides = [ed25519.getPublicKey(PROPOSER), ed25519.getPublicKey(ACCEPTOR)];
  return join(be(1, 1), be(version, 4), ...sides, ...LAYOUT.map(([name, width]) => be(numbers[name], width)), nonce);
}

function one(version: number, numbers: Numbers) {
  const nonce = recipe('terms nonce', 16);
  const bytes = encode(version, numbers, nonce);
  const message = join(ascii('bb1/terms'), be(0, 1), bytes);
  return {
    version,
    ...numbers,
    nonce: hex(nonce),
    bytes: hex(bytes),
    digest: hex(sha256(message)),
    proposerSignature: hex(ed25519.sign(message, PROPOSER)),
    acceptorSignature: hex(ed25519.sign(message, ACCEPTOR)),
  };
}

/** Changes of the first case that must be refused. */
function damage(): ({ why: string } & Change)[] {
  const set = (why: string, at: number, value: number, width: number) => ({ why, at, set: hex(be(value, width)) });
  return [
    ...[0, 1, 5, 117, 132].map((cut) => ({ why: `cut to ${cut} bytes`, cut })),
    { why: 'one byte more', append: '00' },
    set('layout 0', 0, 0, 1),
    set('layout 2', 0, 2, 1),
    set('version 0', 1, 0, 4),
    set('2^53 bytes for the proposer', 69, 2 ** 53, 8),
    set('2^53 bytes for the acceptor', 77, 2 ** 53, 8),
    set('a duration of 2^53', 85, 2 ** 53, 8),
    set('a check every second', 93, 1, 4),
    set('a check every 31 days', 93, 31 * DAY, 4),
    set('a hold of less than a day', 97, DAY - 1, 4),
    set('a hold of more than 90 days', 97, 90 * DAY + 1, 4),
    set('a grace above 90 days', 101, 90 * DAY + 1, 4),
    set('a rate above 1', 105, 1001, 4),
    set('a cap of 0', 109, 0, 4),
    set('a cap above 90 days', 109, 90 * DAY + 1, 4),
    set('a notice above a year', 113, 365 * DAY + 1, 4),
    { why: 'both sides the same', at: 37, set: hex(ed25519.getPublicKey(PROPOSER)) },
    { why: 'no bytes either way', at: 69, set: '00'.repeat(16) },
  ];
}

export function termsVectors() {
  return {
    proposer: hex(ed25519.getPublicKey(PROPOSER)),
    acceptor: hex(ed25519.getPublicKey(ACCEPTOR)),
    cases: [one(1, USUAL), one(2 ** 32 - 1, EXTREME)],
    malformed: damage(),
  };
}
