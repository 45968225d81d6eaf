// What one HTTP/2 session of a peer may do before any message of it is looked at: how fast it opens streams, how often it
// resets them, how large its headers are. Wrapped around the handler of grpc-js on the inner HTTP/2 server.
// Flood limits are real time and never divided (docs/protocol.md, "Limits").

import { constants } from 'node:http2';
import type { Http2Server, Http2Session, IncomingHttpHeaders, ServerHttp2Stream } from 'node:http2';
import { status } from '@grpc/grpc-js';
import {
  HTTP2_HEADER_BYTES,
  HTTP2_NEW_STREAMS_PER_SECOND,
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
  server.on('stream', (stream, headers, flags, rawHeaders) => {
    const { session } = stream;
    if (session === undefined) return;
    const guard = guards.get(session) ?? new SessionGuard(session, clock);
    guards.set(session, guard);
    guard.take(stream, headers, rawHeaders, () => {
      for (const handler of handlers) handler(stream, headers, flags, rawHeaders);
    });
  });
}

class SessionGuard {
  readonly #session: Http2Session;
  readonly #clock: Clock;
  /** When the newest stream was due: streams beyond the rate wait, at most HTTP2_STREAMS of them. */
  #dueMs = Number.NEGATIVE_INFINITY;
  #resets = 0;
  #resetsSinceMs: number;

  constructor(session: Http2Session, clock: Clock) {
    this.#session = session;
    this.#clock = clock;
    this.#resetsSinceMs = clock.monotonicMs();
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
      this.#countReset();
      return;
    }
    stream.once('aborted', () => this.#countReset());
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

  #countReset(): void {
    const nowMs = this.#clock.monotonicMs();
    if (nowMs - this.#resetsSinceMs > MINUTE_MS) {
      this.#resets = 0;
      this.#resetsSinceMs = nowMs;
    }
    this.#resets += 1;
    if (this.#resets <= HTTP2_RESETS_PER_MINUTE || this.#session.destroyed) return;
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
