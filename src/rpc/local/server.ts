// clirpc on a Unix socket: what `bb` talks to. Only the user of the daemon can open the socket.

import { chmod } from 'node:fs/promises';
import { Server, ServerCredentials } from '@grpc/grpc-js';
import { BbError } from '../../core/errors.ts';
import { LOCAL_MESSAGE_BYTES } from '../../core/limits.ts';
import { DEADLINES_MS } from '../../core/policy/periods.ts';
import type { LocalApi } from '../../daemon/local-api.ts';
import type { Clock } from '../../ports/clock.ts';
import type { Logger } from '../../ports/logger.ts';
import { localHandlers, localServiceDefinition } from './local-service.ts';
import { prepareSocketPath, SOCKET_MODE } from './socket-path.ts';

export type LocalServerOptions = {
  readonly socketPath: string;
  readonly api: LocalApi;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly pid: number;
  readonly dataDir: string;
};

export type LocalServer = {
  /** Ends event streams, lets running calls finish for DEADLINES_MS.shutdown at most, removes the socket. */
  close(): Promise<void>;
};

/** Listens when it resolves. UNUSABLE_ENVIRONMENT or DATA_DIR_IN_USE when the socket cannot be had. */
export async function startLocalServer(options: LocalServerOptions): Promise<LocalServer> {
  await prepareSocketPath(options.socketPath);
  const closing = new AbortController();
  const server = new Server({
    'grpc.max_receive_message_length': LOCAL_MESSAGE_BYTES,
    'grpc.max_send_message_length': LOCAL_MESSAGE_BYTES,
  });
  server.addService(localServiceDefinition, localHandlers({ ...options, closing: closing.signal }));
  await bind(server, options.socketPath);
  await chmod(options.socketPath, SOCKET_MODE);
  return { close: () => shutDown(server, options.clock, closing) };
}

function bind(server: Server, socketPath: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.bindAsync(`unix:${socketPath}`, ServerCredentials.createInsecure(), (error) => {
      if (error === null) resolve();
      else reject(new BbError('UNUSABLE_ENVIRONMENT', 'the local socket cannot be opened', { cause: error }));
    });
  });
}

function shutDown(server: Server, clock: Clock, closing: AbortController): Promise<void> {
  closing.abort();
  return new Promise((resolve) => {
    const stopTimer = clock.after(DEADLINES_MS.shutdown / 2, () => server.forceShutdown());
    server.tryShutdown(() => {
      stopTimer();
      resolve();
    });
  });
}
