// The connection to the daemon: typed calls over its Unix socket. Deadlines, Ctrl-C and errors are handled here once.
// Invariant: bb talks only to a socket of its own user, because it sends secrets.

import { lstat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { Client, credentials, Metadata } from '@grpc/grpc-js';
import type { CallOptions, ClientDuplexStream, ClientReadableStream } from '@grpc/grpc-js';
import { BbError } from '../src/core/errors.ts';
import { LOCAL_MESSAGE_BYTES } from '../src/core/limits.ts';
import { cliError } from './errors.ts';

/** A short call ends after this without --timeout; deriving keys on a small machine takes a while. */
const CALL_MS = 120_000;
const OTHERS_WRITE = 0o022;

export type Method<Request, Response> = {
  readonly path: string;
  readonly requestSerialize: (request: Request) => Buffer;
  readonly responseDeserialize: (bytes: Buffer) => Response;
};

export type ClientOptions = {
  readonly socket: string;
  /** From --timeout: for every call; undefined leaves streams open and bounds short calls by CALL_MS. */
  readonly timeoutMs: number | undefined;
  /** Aborts on Ctrl-C. */
  readonly signal: AbortSignal;
};

export class DaemonClient {
  readonly #client: Client;
  readonly #options: ClientOptions;

  private constructor(client: Client, options: ClientOptions) {
    this.#client = client;
    this.#options = options;
  }

  /** DAEMON_NOT_RUNNING without a socket, UNUSABLE_ENVIRONMENT for one of another user. Does not dial yet. */
  static async open(options: ClientOptions): Promise<DaemonClient> {
    await requireOwnSocket(options.socket);
    const client = new Client(`unix:${options.socket}`, credentials.createInsecure(), {
      'grpc.max_receive_message_length': LOCAL_MESSAGE_BYTES,
      'grpc.max_send_message_length': LOCAL_MESSAGE_BYTES,
      'grpc.enable_retries': 0,
      'grpc.enable_http_proxy': 0,
    });
    return new DaemonClient(client, options);
  }

  close(): void {
    this.#client.close();
  }

  unary<Request, Response>(method: Method<Request, Response>, request: Request): Promise<Response> {
    return new Promise((resolve, reject) => {
      const { requestSerialize, responseDeserialize, path } = method;
      const call = this.#client.makeUnaryRequest(
        path,
        requestSerialize,
        responseDeserialize,
        request,
        new Metadata(),
        this.#callOptions(CALL_MS),
        (error, response) => {
          this.#options.signal.removeEventListener('abort', cancel);
          if (error !== null) reject(cliError(error));
          else resolve(response as Response);
        },
      );
      const cancel = (): void => call.cancel();
      this.#options.signal.addEventListener('abort', cancel);
      if (this.#options.signal.aborted) cancel();
    });
  }

  /** The messages of a server stream. Leaving the loop cancels the call. */
  stream<Request, Response>(method: Method<Request, Response>, request: Request): AsyncGenerator<Response> {
    const { requestSerialize, responseDeserialize, path } = method;
    const options = this.#callOptions(undefined);
    return this.#messages(
      this.#client.makeServerStreamRequest(path, requestSerialize, responseDeserialize, request, options),
    );
  }

  /** A call in both directions: `send` writes with back-pressure, `received` are the answers. */
  duplex<Request, Response>(
    method: Method<Request, Response>,
  ): { readonly call: ClientDuplexStream<Request, Response>; readonly received: AsyncGenerator<Response> } {
    const { requestSerialize, responseDeserialize, path } = method;
    const options = this.#callOptions(undefined);
    const call = this.#client.makeBidiStreamRequest(path, requestSerialize, responseDeserialize, options);
    return { call, received: this.#messages(call) };
  }

  async *#messages<Response>(call: ClientReadableStream<Response>): AsyncGenerator<Response> {
    const cancel = (): void => call.cancel();
    // Reading may start later than the call fails; the iterator below reports the same error.
    call.on('error', () => undefined);
    this.#options.signal.addEventListener('abort', cancel);
    if (this.#options.signal.aborted) cancel();
    try {
      for await (const message of call) yield message as Response;
    } catch (error) {
      throw cliError(error);
    } finally {
      this.#options.signal.removeEventListener('abort', cancel);
      call.cancel();
    }
  }

  #callOptions(fallbackMs: number | undefined): CallOptions {
    const ms = this.#options.timeoutMs ?? fallbackMs;
    return ms === undefined ? {} : { deadline: Date.now() + ms };
  }
}

async function requireOwnSocket(socket: string): Promise<void> {
  const [folder, file] = await Promise.all([dirname(socket), socket].map((path) => lstat(path))).catch(
    (error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT' || error.code === 'ENOTDIR') {
        throw new BbError('DAEMON_NOT_RUNNING', 'no daemon runs for this data directory');
      }
      throw cliError(error);
    },
  );
  const uid = process.getuid?.();
  const foreign = uid !== undefined && (folder?.uid !== uid || file?.uid !== uid);
  if (foreign || ((folder?.mode ?? 0) & OTHERS_WRITE) !== 0) {
    throw new BbError('UNUSABLE_ENVIRONMENT', 'the socket of the daemon belongs to another user', {
      hint: 'Run bb as the user that runs bbd, and keep the directory of the socket closed to others.',
    });
  }
}
