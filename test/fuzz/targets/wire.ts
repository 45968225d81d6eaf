// Every message of bbrpc, both directions, through the codecs of the table of methods, and what the core then makes of it.

import { isDeepStrictEqual } from 'node:util';
import { challengeReads } from '../../../src/core/challenge/reads.ts';
import { validateQuestion } from '../../../src/core/challenge/validate.ts';
import type { ContractState } from '../../../src/core/contract/state.ts';
import { onionIdFromPubkey } from '../../../src/core/ids.ts';
import { CELL_BYTES, CHALLENGE_BLOCK_BYTES, CHALLENGE_MAX_BLOCKS } from '../../../src/core/limits.ts';
import type { DownloadRequest, DownloadSection, RevisionReport } from '../../../src/ports/peer-client.ts';
import type { Codec } from '../../../src/rpc/message-codec.ts';
import { DownloadCover } from '../../../src/rpc/peer/download-cover.ts';
import { PEER_METHODS } from '../../../src/rpc/peer/methods.ts';
import type { AbsentMethod } from '../../../src/rpc/peer/methods.ts';
import { mutateBytes } from '../mutate-bytes.ts';
import { mutateProtobuf } from '../mutate-protobuf.ts';
import { sound } from '../target.ts';
import type { Target } from '../target.ts';

const NONE = Buffer.alloc(0);
const ID = Buffer.alloc(64, 7);
const KEY = Buffer.alloc(32, 8);
const SIGNATURE = Buffer.alloc(64, 9);
const TERMS = Buffer.alloc(133, 1);
const ONION = onionIdFromPubkey(KEY);
const CONTENT = { contentId: ID, contentBytes: 3 * CELL_BYTES, root: KEY };
const BLOB_CELLS = 100;

const REPORT: RevisionReport = {
  requesterContent: CONTENT,
  requesterRemainingSeconds: 2 ** 53 - 1,
  responderContent: undefined,
  requesterLatestKnown: ID,
  requesterOlder: [CONTENT, { ...CONTENT, contentBytes: CELL_BYTES }],
  contractState: 'ACTIVE',
  responderRecovering: true,
  requesterPull: 'PULLING',
};
const QUESTION = {
  contentId: ID,
  nonce: KEY,
  seed: Buffer.alloc(32, 3),
  count: 64,
  blockBytes: CHALLENGE_BLOCK_BYTES,
  ranges: [
    { startCell: 0, cells: 1 },
    { startCell: 99, cells: 1 },
  ],
};
const ASK: DownloadRequest = {
  contentId: ID,
  offset: CELL_BYTES,
  length: 2 * CELL_BYTES,
  referenceContentId: ID,
  repair: false,
  leaves: false,
};
const SECTIONS: readonly DownloadSection[] = [
  { kind: 'head', totalBytes: 4 * CELL_BYTES, root: KEY },
  { kind: 'raw', bytes: Buffer.alloc(65_536, 5) },
  { kind: 'reference', offsetBytes: 0, lengthBytes: CELL_BYTES },
  { kind: 'leaves', leaves: Buffer.alloc(320, 6) },
];
const STATE = { state: 'GRACE' as ContractState };

type Methods = typeof PEER_METHODS;
type Present = { [M in keyof Methods]: Methods[M] extends AbsentMethod ? never : M }[keyof Methods];
type Plain<C> = C extends Codec<infer P> ? P : never;
/** Plain forms of valid messages. */
type Seeds = {
  readonly [M in Present]: {
    readonly request: readonly Plain<Methods[M]['request']>[];
    readonly response: readonly Plain<Methods[M]['response']>[];
  };
};

/** A method without seeds does not compile, so a new method is fuzzed from its first day. */
const SEEDS: Seeds = {
  healthCheck: {
    request: [undefined],
    response: [
      { clientOnion: ONION, serverOnion: ONION, protocolMin: 1, protocolMax: 2, instance: Buffer.alloc(16, 4) },
    ],
  },
  peerExchange: {
    request: [{ peers: [ONION, ONION], unlisted: true }],
    response: [{ peers: [ONION], unlisted: false }],
  },
  getContentRevision: { request: [ID, NONE], response: [REPORT, { ...REPORT, requesterContent: undefined }] },
  setContentRevision: {
    request: [
      { content: CONTENT, previousContentId: ID, delete: false, newCells: 2 },
      { content: undefined, previousContentId: NONE, delete: true, newCells: 0 },
    ],
    response: [{ outcome: 'CAS_MISMATCH', latestKnown: ID }],
  },
  download: { request: [ASK, { ...ASK, leaves: true, referenceContentId: NONE }], response: SECTIONS },
  proposeContract: {
    request: [{ terms: TERMS, signature: SIGNATURE }],
    response: [
      { answer: 'ACCEPTED', signature: SIGNATURE, reason: '' },
      { answer: 'REJECTED', signature: NONE, reason: 'no space' },
    ],
  },
  acceptContract: { request: [{ digest: KEY, accept: true, signature: SIGNATURE, reason: 'yes' }], response: [STATE] },
  endContract: { request: [{ digest: KEY, noticeSeconds: 86_400, signature: SIGNATURE }], response: [STATE] },
  getContract: {
    request: [undefined],
    response: [
      undefined,
      { terms: TERMS, proposerSignature: SIGNATURE, acceptorSignature: SIGNATURE, ...STATE, remainingSeconds: 5 },
    ],
  },
  challenge: { request: [QUESTION], response: [{ mac: KEY, blocksRead: 64 }] },
  reportLoss: { request: [{ contentId: ID, ranges: QUESTION.ranges }], response: [undefined] },
};

const REFUSALS = ['MALFORMED', 'BAD_RANGE'];

function codecTarget(name: string, codec: Codec<unknown>, values: readonly unknown[]): Target {
  return {
    name,
    mutate: mutateProtobuf,
    seeds: () => values.map((value) => codec.encode(value)),
    read: (input) => {
      const value = codec.decode(input);
      sound(
        isDeepStrictEqual(codec.decode(codec.encode(value)), value),
        'what was read is read again from its own bytes',
      );
      return value;
    },
    refusals: REFUSALS,
  };
}

const MESSAGES: readonly Target[] = Object.entries(SEEDS).flatMap(([name, { request, response }]) => {
  const method = PEER_METHODS[name as keyof typeof SEEDS];
  return [
    codecTarget(`bbrpc ${name} request`, method.request as Codec<unknown>, request),
    codecTarget(`bbrpc ${name} response`, method.response as Codec<unknown>, response),
  ];
});

/** A question that passed is walked: no read outside the blob, no more work than the bounds allow. */
const QUESTIONS: Target = {
  name: 'challenge question',
  mutate: mutateProtobuf,
  seeds: () => [PEER_METHODS.challenge.request.encode(QUESTION)],
  read: (input) => {
    const question = PEER_METHODS.challenge.request.decode(input);
    validateQuestion(question, BLOB_CELLS);
    let reads = 0;
    for (const { cell, offsetBytes, lengthBytes } of challengeReads(question, BLOB_CELLS)) {
      sound(cell >= 0 && cell < BLOB_CELLS && offsetBytes + lengthBytes <= CELL_BYTES, 'a read lies inside the blob');
      reads += 1;
    }
    sound(reads <= CHALLENGE_MAX_BLOCKS + BLOB_CELLS, 'the work of a question is bounded');
    return question;
  },
  refusals: REFUSALS,
};

/** A whole stream: messages with u32 lengths in front, as one input. */
const STREAMS: Target = {
  name: 'bbrpc download stream',
  mutate: mutateBytes,
  seeds: () => {
    const parts: readonly DownloadSection[] = [
      { kind: 'head', totalBytes: 4 * CELL_BYTES, root: KEY },
      { kind: 'reference', offsetBytes: 0, lengthBytes: CELL_BYTES },
      { kind: 'reference', offsetBytes: CELL_BYTES, lengthBytes: CELL_BYTES },
    ];
    return [Buffer.concat(parts.flatMap((part) => framed(PEER_METHODS.download.response.encode(part))))];
  },
  read: (input) => {
    const cover = new DownloadCover(ASK);
    for (let at = 0; at + 4 <= input.length; ) {
      const end = at + 4 + input.readUInt32BE(at);
      cover.take(PEER_METHODS.download.response.decode(input.subarray(at + 4, end)));
      at = end;
    }
    cover.finish();
    return true;
  },
  refusals: REFUSALS,
};

function framed(bytes: Buffer): Buffer[] {
  const length = Buffer.alloc(4);
  length.writeUInt32BE(bytes.length);
  return [length, bytes];
}

export const WIRE_TARGETS: readonly Target[] = [...MESSAGES, QUESTIONS, STREAMS];
