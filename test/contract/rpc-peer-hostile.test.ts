// What a hostile peer may send, to our client and to our server: raw bytes, no codec of ours in between.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { connect } from 'node:http2';
import type { IncomingHttpHeaders } from 'node:http2';
import { Client, credentials, Metadata, status } from '@grpc/grpc-js';
import type { MethodDefinition, sendUnaryData, ServerWritableStream, UntypedHandleCall } from '@grpc/grpc-js';
import { isBbError } from '../../src/core/errors.ts';
import { CELL_BYTES, CHALLENGE_RANGES, PEER_EXCHANGE_PEERS, RPC_REQUEST_BYTES } from '../../src/core/limits.ts';
import {
  ChallengeRequest,
  DownloadRequest,
  DownloadResponse,
  GetContentRevisionResponse,
  GetContractResponse,
  HealthCheckResponse,
  PeerExchangeResponse,
  ProposeContractResponse,
  SetContentRevisionRequest,
  SetContentRevisionResponse,
} from '../../src/gen/bbrpc/v1/bbrpc.ts';
import type { ContentInfo, MessageFns } from '../../src/gen/bbrpc/v1/bbrpc.ts';
import { PEER_METHODS } from '../../src/rpc/peer/methods.ts';
import { CALLER, collect, PEER, rigOf, serve } from './rpc-peer-fixture.ts';
import type { Rig } from './rpc-peer-fixture.ts';

const ID = Buffer.alloc(64, 7);
const ROOT = Buffer.alloc(32, 8);
const SIGNATURE = Buffer.alloc(64, 9);
const ASK = { contentId: ID, offset: 0, length: 0, referenceContentId: Buffer.alloc(0), repair: false, leaves: false };
const EMPTY = Buffer.alloc(0);

const bytesOf = <Message>(message: MessageFns<Message>, fields: Message): Buffer =>
  Buffer.from(message.encode(fields).finish());

/** A server that answers each method with raw bytes. */
function answering(unary: Buffer, stream: readonly Buffer[] = []): Promise<Rig> {
  const definition: Record<string, MethodDefinition<Buffer, Buffer>> = {};
  const handlers: Record<string, UntypedHandleCall> = {};
  const same = (bytes: Buffer): Buffer => bytes;
  for (const [name, { path, kind }] of Object.entries(PEER_METHODS)) {
    definition[name] = {
      path,
      requestStream: false,
      responseStream: kind === 'stream',
      requestSerialize: same,
      requestDeserialize: same,
      responseSerialize: same,
      responseDeserialize: same,
    };
    handlers[name] =
      kind === 'stream'
        ? (call: ServerWritableStream<Buffer, Buffer>) => {
            for (const part of stream) call.write(part);
            call.end();
          }
        : (_call: unknown, done: sendUnaryData<Buffer>) => done(null, unary);
  }
  return rigOf({ definition, handlers });
}

const badPeerData = (error: unknown): boolean => isBbError(error, 'BAD_PEER_DATA');

const NO_CONTENT = {
  requesterContent: undefined,
  requesterRemainingSeconds: 0n,
  responderContent: undefined,
  requesterLatestKnown: EMPTY,
  requesterOlder: [],
  contractState: 0,
  responderRecovering: false,
  requesterPull: 0,
} as const satisfies GetContentRevisionResponse | { requesterOlder: readonly ContentInfo[] };

const info = (changes: Partial<ContentInfo>): ContentInfo => ({
  contentId: ID,
  contentLength: BigInt(CELL_BYTES),
  sha256: ROOT,
  ...changes,
});

const revision = (changes: Partial<GetContentRevisionResponse>): Buffer =>
  bytesOf(GetContentRevisionResponse, { ...NO_CONTENT, requesterOlder: [], ...changes });

const hello = (changes: Partial<HealthCheckResponse>): Buffer =>
  bytesOf(HealthCheckResponse, {
    clientOnion: CALLER,
    serverOnion: PEER,
    protocolMin: 1,
    protocolMax: 1,
    instance: EMPTY,
    ...changes,
  });

type Ask = (rig: Rig) => Promise<unknown>;
const health: Ask = ({ client }) => client.healthCheck(PEER);
const report: Ask = ({ client }) => client.getContentRevision(PEER, EMPTY);

test('replies that keep the rules are taken, so that the table below fails for its own reason', async () => {
  const good: readonly [Ask, Buffer][] = [
    [health, hello({})],
    [report, revision({ requesterContent: info({}), requesterOlder: [info({})], contractState: 7, requesterPull: 3 })],
    [report, revision({ requesterContent: info({ contentId: EMPTY, contentLength: 0n, sha256: EMPTY }) })],
    [report, revision({ requesterRemainingSeconds: 2n ** 53n - 1n })],
  ];
  for (const [ask, bytes] of good) {
    await using rig = await answering(bytes);
    await ask(rig);
  }
});

test('every malformed reply is BAD_PEER_DATA', async () => {
  const propose: Ask = ({ client }) => client.proposeContract(PEER, Buffer.from('t'), SIGNATURE);
  const offer: Ask = ({ client }) =>
    client.setContentRevision(PEER, { content: undefined, previousContentId: EMPTY, delete: true, newCells: 0 });
  const exchange: Ask = ({ client }) => client.exchangePeers(PEER, { peers: [], unlisted: false });
  const contract: Ask = ({ client }) => client.getContract(PEER);
  const peers = (count: number, length: number): Buffer =>
    bytesOf(PeerExchangeResponse, {
      peers: Array.from({ length: count }, () => ({ onionPubkey: Buffer.alloc(length) })),
      unlisted: false,
    });
  // Behind a good message, so that nothing but the hostile part can be the reason.
  const after = (bytes: Buffer): Buffer => Buffer.concat([hello({}), bytes]);
  const signed = { terms: Buffer.from('t'), sigA: SIGNATURE, sigB: SIGNATURE, state: 1, remainingS: 0n } as const;

  const bad: Record<string, readonly [Ask, Buffer]> = {
    'an onion id that is none': [health, hello({ clientOnion: 'x'.repeat(56) })],
    'an onion id with a wrong checksum': [
      health,
      hello({ clientOnion: `${CALLER.startsWith('a') ? 'b' : 'a'}${CALLER.slice(1)}` }),
    ],
    'an onion id as a URI': [health, hello({ serverOnion: `bb:${PEER}` })],
    'an instance of 15 bytes': [health, hello({ instance: Buffer.alloc(15) })],
    'versions upside down': [health, hello({ protocolMin: 2, protocolMax: 1 })],
    'version zero': [health, hello({ protocolMin: 0 })],
    'more peers than allowed': [exchange, peers(PEER_EXCHANGE_PEERS + 1, 32)],
    'a peer key of 31 bytes': [exchange, peers(1, 31)],
    'a content id of 63 bytes': [report, revision({ requesterContent: info({ contentId: Buffer.alloc(63) }) })],
    'a root of 31 bytes': [report, revision({ responderContent: info({ sha256: Buffer.alloc(31) }) })],
    'half a cell': [report, revision({ requesterContent: info({ contentLength: BigInt(CELL_BYTES / 2) }) })],
    'a negative length': [report, revision({ requesterContent: info({ contentLength: -BigInt(CELL_BYTES) }) })],
    'a length of 2^63-1': [report, revision({ requesterContent: info({ contentLength: 2n ** 63n - 1n }) })],
    'a length of 2^62': [report, revision({ requesterOlder: [info({ contentLength: 2n ** 62n })] })],
    'remaining seconds of 2^53': [report, revision({ requesterRemainingSeconds: 2n ** 53n })],
    'remaining seconds below zero': [report, revision({ requesterRemainingSeconds: -1n })],
    'no id but a length': [report, revision({ requesterContent: info({ contentId: EMPTY }) })],
    'too many older revisions': [report, revision({ requesterOlder: Array.from({ length: 257 }, () => info({})) })],
    'an unknown state': [report, revision({ contractState: 8 as never })],
    'an unknown pull': [report, revision({ requesterPull: 4 as never })],
    'a latest id of one byte': [report, revision({ requesterLatestKnown: Buffer.alloc(1) })],
    'an outcome that is never sent': [offer, bytesOf(SetContentRevisionResponse, { outcome: 0, latestKnown: EMPTY })],
    'accepted without a signature': [propose, bytesOf(ProposeContractResponse, { answer: 1, sig: EMPTY, reason: '' })],
    'rejected with a signature': [propose, bytesOf(ProposeContractResponse, { answer: 3, sig: SIGNATURE, reason: '' })],
    'a reason that moves the cursor': [
      propose,
      bytesOf(ProposeContractResponse, { answer: 3, sig: EMPTY, reason: '\u001b[2J' }),
    ],
    'a reason without end': [
      propose,
      bytesOf(ProposeContractResponse, { answer: 3, sig: EMPTY, reason: 'a'.repeat(257) }),
    ],
    'terms without end': [contract, bytesOf(GetContractResponse, { ...signed, terms: Buffer.alloc(1025) })],
    'terms without a signature': [contract, bytesOf(GetContractResponse, { ...signed, sigA: EMPTY })],
    'signatures without terms': [contract, bytesOf(GetContractResponse, { ...signed, terms: EMPTY })],
    'a group bomb': [health, after(Buffer.alloc(21_000, 0x0b))],
    'groups inside a peer': [exchange, Buffer.concat([Buffer.from([0x0a, 0x64]), Buffer.alloc(100, 0x0b)])],
    'a field longer than its message': [health, after(Buffer.from([0x7a, 0x7f, 0x61]))],
    'field number zero': [health, after(Buffer.from([0x00, 0x00]))],
    'a number without end': [health, after(Buffer.alloc(30, 0xff))],
    'five thousand fields': [
      health,
      after(Buffer.concat(Array.from({ length: 5000 }, () => Buffer.from([0x78, 0x01])))),
    ],
    'a reply beyond the limit': [
      health,
      after(Buffer.concat([Buffer.from([0x7a, 0x80, 0x80, 0x08]), Buffer.alloc(131_072)])),
    ],
  };
  for (const [name, [ask, bytes]] of Object.entries(bad)) {
    await using rig = await answering(bytes);
    await assert.rejects(ask(rig), badPeerData, name);
  }
});

test('a download that is not exactly what was asked is BAD_PEER_DATA', async () => {
  const none = { totalLength: 0n, sha256: EMPTY };
  const part = (fields: Partial<DownloadResponse>): Buffer => bytesOf(DownloadResponse, { ...none, ...fields });
  const head = (cells: number): Buffer => part({ totalLength: BigInt(cells * CELL_BYTES), sha256: ROOT });
  const raw = (length: number): Buffer => part({ rawBytes: { value: Buffer.alloc(length) } });
  const leaves = (length: number): Buffer => part({ leaves: { value: Buffer.alloc(length) } });
  const reference = (offset: bigint, length: bigint): Buffer =>
    part({ reference: { offsetInReference: offset, length } });
  const half = raw(65_536);
  const cell = BigInt(CELL_BYTES);
  const bad: Record<string, readonly [typeof ASK, readonly Buffer[]]> = {
    'no head': [ASK, [half, half]],
    'nothing at all': [ASK, []],
    'two heads': [ASK, [head(1), head(1)]],
    'a head that is no whole cells': [ASK, [part({ totalLength: 5n, sha256: ROOT })]],
    'a head of 2^63-1': [ASK, [part({ totalLength: 2n ** 63n - 1n, sha256: ROOT })]],
    'too little': [ASK, [head(1), half]],
    'too much': [ASK, [head(1), half, half, raw(1)]],
    'empty sections without end': [ASK, [head(1), raw(0)]],
    'a section of 65,537 bytes': [ASK, [head(1), raw(65_537)]],
    'a head inside a section': [ASK, [head(1), part({ totalLength: cell, sha256: ROOT, rawBytes: { value: ROOT } })]],
    'two sections in one': [ASK, [head(1), part({ rawBytes: { value: ROOT }, leaves: { value: ROOT } })]],
    'a reference that was not asked for': [ASK, [head(1), reference(0n, cell)]],
    'leaves that were not asked for': [ASK, [head(1), leaves(32)]],
    'bytes in place of leaves': [{ ...ASK, leaves: true }, [head(1), half, half]],
    'half a leaf': [{ ...ASK, leaves: true }, [head(1), leaves(33)]],
    'too many leaves': [{ ...ASK, leaves: true }, [head(4096), leaves(2049 * 32)]],
    'a reference of 2^62': [{ ...ASK, referenceContentId: ID }, [head(1), reference(0n, 2n ** 62n)]],
    'a reference of half a cell': [{ ...ASK, referenceContentId: ID }, [head(1), reference(0n, cell / 2n)]],
    'a reference to a negative place': [{ ...ASK, referenceContentId: ID }, [head(1), reference(-cell, cell)]],
    'an empty reference': [{ ...ASK, referenceContentId: ID }, [head(1), reference(0n, 0n)]],
    'a reference within a cell': [{ ...ASK, referenceContentId: ID }, [head(2), half, reference(0n, cell), half]],
    'a blob shorter than the range': [{ ...ASK, offset: CELL_BYTES, length: CELL_BYTES }, [head(1)]],
  };
  for (const [name, [request, parts]] of Object.entries(bad)) {
    await using rig = await answering(EMPTY, parts);
    await assert.rejects(collect(rig.client.download(PEER, request, 1)), badPeerData, name);
  }
  await using rig = await answering(EMPTY, [head(3), reference(9n * cell, cell), half, half]);
  const sections = await collect(rig.client.download(PEER, { ...ASK, offset: CELL_BYTES, referenceContentId: ID }, 1));
  assert.deepEqual(
    sections.map((section) => section.kind),
    ['head', 'reference', 'raw', 'raw'],
  );
});

test('a download without end is cut off where the asked range ends', async () => {
  let written = 0;
  const same = (bytes: Buffer): Buffer => bytes;
  const head = bytesOf(DownloadResponse, { totalLength: BigInt(CELL_BYTES), sha256: ROOT });
  const raw = bytesOf(DownloadResponse, { totalLength: 0n, sha256: EMPTY, rawBytes: { value: Buffer.alloc(65_536) } });
  const method = { path: PEER_METHODS.download.path, requestStream: false, responseStream: true };
  const serialize = {
    requestSerialize: same,
    requestDeserialize: same,
    responseSerialize: same,
    responseDeserialize: same,
  };
  let cancelled: (() => void) | undefined;
  const cut = new Promise<void>((resolve) => (cancelled = resolve));
  await using rig = await rigOf({
    definition: { download: { ...method, ...serialize } },
    handlers: {
      download: (call: ServerWritableStream<Buffer, Buffer>) => {
        call.on('cancelled', () => cancelled?.());
        const more = (): void => {
          while (!call.cancelled && call.write(raw)) written += 1;
          call.once('drain', more);
        };
        call.write(head);
        more();
      },
    },
  });
  const sections: string[] = [];
  const read = async (): Promise<void> => {
    for await (const section of rig.client.download(PEER, ASK, 1)) sections.push(section.kind);
  };
  await assert.rejects(read(), badPeerData);
  assert.deepEqual(sections, ['head', 'raw', 'raw']);
  await cut;
  assert.ok(written > 2);
});

/** Sends raw request bytes to our server; resolves with the status and the name in the trailer. */
async function send(
  path: string,
  request: Buffer,
  rig: Rig,
): Promise<{ code: status; name: unknown; details: string }> {
  const client = new Client(`unix:${rig.socketPath}`, credentials.createInsecure());
  const same = (bytes: Buffer): Buffer => bytes;
  try {
    return await new Promise((resolve) => {
      client.makeUnaryRequest(path, same, same, request, new Metadata(), {}, (error) => {
        resolve({
          code: error?.code ?? status.OK,
          name: error?.metadata.get('bb-error')[0],
          details: error?.details ?? '',
        });
      });
    });
  } finally {
    client.close();
  }
}

test('malformed requests never reach the daemon and learn nothing', async () => {
  await using rig = await serve({});
  const { healthCheck, setContentRevision, download, challenge, peerExchange, chat, reportLoss } = PEER_METHODS;
  const ask = (changes: Partial<DownloadRequest>): Buffer =>
    bytesOf(DownloadRequest, { ...ASK, offset: 0n, length: 0n, ...changes });
  const question = (changes: Partial<ChallengeRequest>): Buffer =>
    bytesOf(ChallengeRequest, {
      contentId: ID,
      nonce: ROOT,
      seed: ROOT,
      count: 1,
      block: 4096,
      ranges: [],
      ...changes,
    });
  const range = (startCell: bigint, cells: number): { startCell: bigint; cells: number } => ({ startCell, cells });
  const offer = (changes: Partial<SetContentRevisionRequest>): Buffer =>
    bytesOf(SetContentRevisionRequest, {
      requesterContent: info({}),
      previousContentId: EMPTY,
      delete: false,
      newCells: 0,
      ...changes,
    });
  const INVALID = [status.INVALID_ARGUMENT, undefined] as const;
  const RANGE = [status.OUT_OF_RANGE, 'BAD_RANGE'] as const;
  const table: Record<string, readonly [string, Buffer, readonly [status, unknown]]> = {
    'a group bomb': [healthCheck.path, Buffer.alloc(21_000, 0x0b), INVALID],
    'a group bomb in a field': [
      peerExchange.path,
      Buffer.concat([Buffer.from([0x0a, 0xe8, 0x07]), Buffer.alloc(1000, 0x0b)]),
      INVALID,
    ],
    'no content and no delete': [setContentRevision.path, offer({ requesterContent: undefined }), INVALID],
    'an empty message is not a delete': [setContentRevision.path, EMPTY, INVALID],
    'delete with a content': [setContentRevision.path, offer({ delete: true }), INVALID],
    'an empty content': [setContentRevision.path, offer({ requesterContent: info({ contentLength: 0n }) }), INVALID],
    'more new cells than a blob has': [setContentRevision.path, offer({ newCells: 2 ** 31 }), INVALID],
    'a download within a cell': [download.path, ask({ offset: 1n }), RANGE],
    'a download of half a cell': [download.path, ask({ length: 65_536n }), RANGE],
    'a download below zero': [download.path, ask({ offset: -BigInt(CELL_BYTES) }), RANGE],
    'a download at 2^62': [download.path, ask({ offset: 2n ** 62n }), RANGE],
    'a download of no content': [download.path, ask({ contentId: EMPTY }), INVALID],
    'too many blocks': [challenge.path, question({ count: 1025 }), RANGE],
    'small blocks': [challenge.path, question({ block: 1 }), RANGE],
    'too many ranges': [
      challenge.path,
      question({ ranges: Array.from({ length: CHALLENGE_RANGES + 1 }, (_, index) => range(BigInt(index), 1)) }),
      RANGE,
    ],
    'overlapping ranges': [challenge.path, question({ ranges: [range(0n, 2), range(1n, 2)] }), RANGE],
    'an empty range': [challenge.path, question({ ranges: [range(0n, 0)] }), RANGE],
    'a range at 2^64-1': [challenge.path, question({ ranges: [range(2n ** 64n - 1n, 2)] }), RANGE],
    'a short nonce': [challenge.path, question({ nonce: Buffer.alloc(31) }), INVALID],
    'a chat': [chat.path, EMPTY, [status.UNIMPLEMENTED, 'UNIMPLEMENTED']],
    'a confession of nothing': [reportLoss.path, EMPTY, INVALID],
    'a request beyond the limit': [
      healthCheck.path,
      Buffer.concat([Buffer.from([0x7a, 0x80, 0x80, 0x04]), Buffer.alloc(RPC_REQUEST_BYTES)]),
      [status.RESOURCE_EXHAUSTED, undefined],
    ],
  };
  for (const [name, [path, request, [code, refusal]]] of Object.entries(table)) {
    const answer = await send(path, request, rig);
    assert.equal(answer.code, code, name);
    assert.equal(answer.name, refusal, name);
    if (refusal !== undefined || code === status.INVALID_ARGUMENT) assert.equal(answer.details, '', name);
  }
  // Everything above was refused before the daemon: its script answers INTERNAL to what comes through.
  assert.deepEqual(await send(healthCheck.path, EMPTY, rig), { code: status.INTERNAL, name: 'INTERNAL', details: '' });
});

test('a compressed request is bounded by what it becomes', async () => {
  await using rig = await serve({});
  const bomb = gzipSync(Buffer.alloc(16 * RPC_REQUEST_BYTES));
  const frame = Buffer.concat([Buffer.from([1]), Buffer.alloc(4), bomb]);
  frame.writeUInt32BE(bomb.length, 1);
  const session = connect('http://localhost', { path: rig.socketPath } as never);
  const stream = session.request({
    ':method': 'POST',
    ':path': PEER_METHODS.healthCheck.path,
    'content-type': 'application/grpc',
    te: 'trailers',
    'grpc-encoding': 'gzip',
  });
  stream.end(frame);
  const grpcStatus = await new Promise<string | undefined>((resolve) => {
    const read = (headers: IncomingHttpHeaders): void => {
      const value = headers['grpc-status'];
      if (typeof value === 'string') resolve(value);
    };
    stream.on('response', read);
    stream.on('trailers', read);
    stream.resume();
  });
  session.close();
  assert.equal(grpcStatus, String(status.RESOURCE_EXHAUSTED));
});
