// What one HTTP/2 session of a peer may do before any message of it is looked at: how fast it opens streams, how often it
// resets them or pings, how large its headers are, in how many pieces a request may come. Wrapped around the handler of
// grpc-js on the inner HTTP/2 server. What else HTTP/2 can be flooded with (CONTINUATION, SETTINGS, PRIORITY, unknown
// frames) ends the session inside Node; test/faults/floods-http2.test.ts would notice if it did not.
// Flood limits are real time and never divided (docs/protocol.md, "Limits").

import { constants } from 'node:http2';
import type { Http2Server, Http2Session, IncomingHttpHeaders, ServerHttp2Stream } from 'node:http2';
import { status } from '@grpc/grpc-js';
import {
  HTTP2_HEADER_BYTES,
  HTTP2_NEW_STREAMS_PER_SECOND,
  HTTP2_REQUEST_BYTES,
  HTTP2_REQUEST_PIECES,
  HTTP2_RESETS_PER_MINUTE,
  HTTP2_STREAMS,
} from '../../core/limits.ts';
import type { Clock } from '../../ports/clock.ts';

type StreamListener = (
  stream: ServerHttp2Stream,
  headers: IncomingHttpHeaders,
  flags: number,
  rawHeaders: readonly string[],
) => void;

const SECOND_MS = 1000;
const MINUTE_MS = 60_000;

/** Puts the guard between the HTTP/2 server and the stream handlers it has already. */
export function guardSessions(server: Http2Server, clock: Clock): void {
  server.updateSettings({
    enablePush: false,
    maxConcurrentStreams: HTTP2_STREAMS,
    maxHeaderListSize: HTTP2_HEADER_BYTES,
  });
  const handlers = server.listeners('stream') as StreamListener[];
  server.removeAllListeners('stream');
  const guards = new WeakMap<Http2Session, SessionGuard>();
  server.on('session', (session) => guards.set(session, new SessionGuard(session, clock)));
  server.on('stream', (stream, headers, flags, rawHeaders) => {
    const guard = stream.session === undefined ? undefined : guards.get(stream.session);
    guard?.take(stream, headers, rawHeaders, () => {
      for (const handler of handlers) handler(stream, headers, flags, rawHeaders);
    });
  });
}

class SessionGuard {
  readonly #session: Http2Session;
  readonly #clock: Clock;
  /** When the newest stream was due: streams beyond the rate wait, at most HTTP2_STREAMS of them. */
  #dueMs = Number.NEGATIVE_INFINITY;
  /** Of the requests that are not over. */
  #requestBytes = 0;
  /** Resets and pings: what costs the caller a few bytes and us a turn of the event loop. */
  #nuisances = 0;
  #nuisancesSinceMs: number;

  constructor(session: Http2Session, clock: Clock) {
    this.#session = session;
    this.#clock = clock;
    this.#nuisancesSinceMs = clock.monotonicMs();
    session.on('ping', () => this.#countNuisance());
  }

  /** Calls `handle` when the stream is in order and its turn has come. */
  take(
    stream: ServerHttp2Stream,
    headers: IncomingHttpHeaders,
    rawHeaders: readonly string[],
    handle: () => void,
  ): void {
    stream.on('error', () => undefined);
    // A reset that came right behind its headers was there before this listener.
    if (stream.aborted || stream.destroyed) {
      this.#countNuisance();
      return;
    }
    stream.once('aborted', () => this.#countNuisance());
    this.#boundRequest(stream);
    if (headerBytes(rawHeaders) > HTTP2_HEADER_BYTES) {
      stream.close(constants.NGHTTP2_ENHANCE_YOUR_CALM);
      return;
    }
    const encoding = headers['grpc-encoding'];
    if (encoding !== undefined && encoding !== 'identity') {
      refuseCompression(stream);
      return;
    }
    const waitMs = this.#waitMs();
    if (waitMs <= 0) handle();
    else this.#clock.after(waitMs, () => void (stream.destroyed || handle()));
  }

  /** A second's worth of streams may come at once; after that they are spaced evenly. */
  #waitMs(): number {
    const nowMs = this.#clock.monotonicMs();
    this.#dueMs = Math.max(this.#dueMs, nowMs - SECOND_MS) + SECOND_MS / HTTP2_NEW_STREAMS_PER_SECOND;
    return this.#dueMs - nowMs;
  }

  /**
   * A request in pieces of a byte each would cost us hundreds of bytes a piece, and each piece would keep the whole read
   * from the socket in memory that it came in: so pieces are few and are copied out. Requests that are never finished
   * fill the memory only up to the bound of the session.
   */
  #boundRequest(stream: ServerHttp2Stream): void {
    const push = stream.push.bind(stream);
    let pieces = 0;
    let bytes = 0;
    stream.push = (piece: Buffer | null) => {
      if (piece === null) return push(null);
      pieces += 1;
      bytes += piece.length;
      this.#requestBytes += piece.length;
      if (pieces > HTTP2_REQUEST_PIECES || this.#requestBytes > HTTP2_REQUEST_BYTES) this.#end();
      return push(Buffer.from(piece));
    };
    stream.once('close', () => (this.#requestBytes -= bytes));
  }

  #countNuisance(): void {
    const nowMs = this.#clock.monotonicMs();
    if (nowMs - this.#nuisancesSinceMs > MINUTE_MS) {
      this.#nuisances = 0;
      this.#nuisancesSinceMs = nowMs;
    }
    this.#nuisances += 1;
    if (this.#nuisances > HTTP2_RESETS_PER_MINUTE) this.#end();
  }

  #end(): void {
    if (this.#session.destroyed) return;
    this.#session.goaway(constants.NGHTTP2_ENHANCE_YOUR_CALM);
    this.#session.destroy();
  }
}

/** As HTTP/2 counts a header list (RFC 9113, 6.5.2): 32 octets more for each field. */
function headerBytes(rawHeaders: readonly string[]): number {
  return rawHeaders.reduce((sum, text) => sum + Buffer.byteLength(text) + 16, 0);
}

/** A compressed message could be a bomb; we never ask for one. */
function refuseCompression(stream: ServerHttp2Stream): void {
  const headers = { ':status': 200, 'content-type': 'application/grpc+proto', 'grpc-status': status.UNIMPLEMENTED };
  stream.respond(headers, { endStream: true });
}
