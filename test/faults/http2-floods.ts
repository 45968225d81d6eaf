// What an authenticated stranger can write into its HTTP/2 session to hurt: each flood is a first piece and then the same
// kind of piece again and again, as raw frames, because no client library would send them.

import { performance } from 'node:perf_hooks';
import type { TLSSocket } from 'node:tls';
import { PEER_METHODS } from '../../src/rpc/peer/methods.ts';

export type Http2Flood = { readonly name: string; pieces(): Generator<Buffer, never> };

const PREFACE = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n');
const FRAME = {
  DATA: 0,
  HEADERS: 1,
  PRIORITY: 2,
  RST_STREAM: 3,
  SETTINGS: 4,
  PING: 6,
  WINDOW_UPDATE: 8,
  CONTINUATION: 9,
};
const END_HEADERS = 4;
const CANCEL = 8;
const AT_ONCE = 100;
const REQUESTS = 16;
const NONE = Buffer.alloc(0);

/** Floods of which the first few thousand frames must end the session. */
export const HTTP2_FLOODS: readonly Http2Flood[] = [
  { name: 'rapid reset', pieces: () => streams((id) => frame(FRAME.RST_STREAM, 0, id, u32(CANCEL))) },
  // The server is made to reset the streams itself: a window update of zero is an error of the stream.
  { name: 'made-you-reset', pieces: () => streams((id) => frame(FRAME.WINDOW_UPDATE, 0, id, u32(0))) },
  { name: 'CONTINUATION', pieces: () => endlessHeaders(Buffer.alloc(64, 0x82)) },
  { name: 'empty CONTINUATION', pieces: () => endlessHeaders(NONE) },
  { name: 'SETTINGS', pieces: () => same(frame(FRAME.SETTINGS, 0, 0, NONE)) },
  { name: 'PING', pieces: () => same(frame(FRAME.PING, 0, 0, Buffer.alloc(8))) },
  { name: 'PRIORITY', pieces: () => same(frame(FRAME.PRIORITY, 0, 1, Buffer.alloc(5))) },
  { name: 'unknown frames', pieces: () => same(frame(0x77, 0, 0, Buffer.alloc(5))) },
  { name: 'requests in pieces of a byte', pieces: () => slowRequests(1) },
  { name: 'requests that are never finished', pieces: () => slowRequests(1000) },
];

/**
 * Writes pieces of the flood as fast as they are taken until the session ends; resolves with the MiB that it took.
 * Rejects when the session still stands after `patienceMs`.
 */
export async function floodSession(socket: TLSSocket, flood: Http2Flood, patienceMs: number): Promise<number> {
  const startedMs = performance.now();
  let isOver = false;
  let wake = (): void => undefined;
  socket.resume(); // a reader: whoever does not read is stopped by back-pressure alone
  socket.on('drain', () => wake());
  socket.on('close', () => {
    isOver = true;
    wake();
  });
  const timer = setTimeout(() => wake(), patienceMs);
  socket.write(Buffer.concat([PREFACE, frame(FRAME.SETTINGS, 0, 0, NONE)]));
  let bytes = 0;
  for (const piece of flood.pieces()) {
    if (isOver || performance.now() - startedMs > patienceMs) break;
    bytes += piece.length;
    const isTaken = socket.write(piece);
    await new Promise<void>((resolve) => {
      wake = resolve;
      if (isTaken) setImmediate(resolve);
    });
  }
  clearTimeout(timer);
  socket.destroy();
  if (!isOver) throw new Error(`${flood.name}: the session still stands after ${(bytes / 2 ** 20).toFixed(1)} MiB`);
  return bytes / 2 ** 20;
}

function* same(one: Buffer): Generator<Buffer, never> {
  const many = Buffer.concat(Array.from({ length: AT_ONCE }, () => one));
  for (;;) yield many;
}

/** Opens streams without end, each followed by what `then` makes. */
function* streams(then: (id: number) => Buffer): Generator<Buffer, never> {
  for (let id = 1; ; id += 2) yield Buffer.concat([frame(FRAME.HEADERS, END_HEADERS, id, requestHeaders()), then(id)]);
}

function* endlessHeaders(more: Buffer): Generator<Buffer, never> {
  yield frame(FRAME.HEADERS, 0, 1, requestHeaders());
  return yield* same(frame(FRAME.CONTINUATION, 0, 1, more));
}

/** As many requests as may be open, each with a message that is announced and then comes in small pieces. */
function* slowRequests(pieceBytes: number): Generator<Buffer, never> {
  const ids = Array.from({ length: REQUESTS }, (_, index) => 1 + 2 * index);
  const announced = Buffer.concat([Buffer.alloc(1), u32(65_536)]);
  for (const id of ids) {
    yield frame(FRAME.HEADERS, END_HEADERS, id, requestHeaders());
    yield frame(FRAME.DATA, 0, id, announced);
  }
  const piece = Buffer.alloc(pieceBytes, 1);
  for (;;) yield Buffer.concat(ids.map((id) => frame(FRAME.DATA, 0, id, piece)));
}

/** HPACK without Huffman codes: POST, https, the path, an authority, the content type of gRPC. */
function requestHeaders(): Buffer {
  const path = Buffer.from(PEER_METHODS.healthCheck.path);
  const type = Buffer.from('application/grpc');
  const parts = [
    [0x83, 0x87],
    [0x04, path.length, ...path],
    [0x01, 1, 0x78],
    [0x0f, 0x10, type.length, ...type],
  ];
  return Buffer.from(parts.flat());
}

function frame(type: number, flags: number, stream: number, body: Buffer): Buffer {
  const head = Buffer.alloc(9);
  head.writeUIntBE(body.length, 0, 3);
  head.writeUInt8(type, 3);
  head.writeUInt8(flags, 4);
  head.writeUInt32BE(stream, 5);
  return Buffer.concat([head, body]);
}

function u32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}
