// One channel to one peer: connected when first used, shared by its calls, given up when it breaks. Lane 0 is the control
// channel and stays open; bulk lanes close when idle. Each new channel gets a circuit of its own, so a dead circuit is left
// behind by the next call.

import { Client, connectivityState, credentials } from '@grpc/grpc-js';
import type { Channel } from '@grpc/grpc-js';
import { BbError } from '../../core/errors.ts';
import type { OnionId } from '../../core/ids.ts';
import { CONNECT_ATTEMPTS } from '../../core/limits.ts';
import { backOffMs } from '../../core/policy/back-off.ts';
import { DEADLINES_MS } from '../../core/policy/periods.ts';
import type { Clock } from '../../ports/clock.ts';
import { interrupted } from './client-call.ts';

/** Makes a gRPC channel to a peer on a fresh circuit; `onSecure` is told the TLS group once the peer's key was checked. */
export type OpenChannel = (target: {
  readonly peer: OnionId;
  readonly lane: number;
  readonly onSecure: (group: string) => void;
}) => Channel;

export type LaneOptions = {
  readonly peer: OnionId;
  readonly lane: number;
  readonly open: OpenChannel;
  readonly clock: Clock;
  readonly onState: (up: boolean, group: string) => void;
};

type Connection = { readonly channel: Channel; readonly client: Client };

export class PeerLane {
  readonly #options: LaneOptions;
  #connection: Connection | undefined;
  #connecting: Promise<Connection> | undefined;
  #up = false;
  #group = '';
  #calls = 0;
  #closed = false;
  #stopIdleTimer: () => void = () => undefined;
  #giveUpAttempt: () => void = () => undefined;

  constructor(options: LaneOptions) {
    this.#options = options;
  }

  get up(): boolean {
    return this.#up;
  }

  get busy(): boolean {
    return this.#calls > 0 || this.#connecting !== undefined;
  }

  /**
   * A connected client, kept open until `release` is called. PEER_UNREACHABLE when there is no session within
   * DEADLINES_MS.connect; INTERRUPTED when `signal` aborts first (the connection goes on for others).
   */
  async hold(signal?: AbortSignal): Promise<{ readonly client: Client; readonly release: () => void }> {
    this.#calls += 1;
    this.#stopIdleTimer();
    try {
      const { client } = await unlessAborted(this.#connected(), signal);
      return { client, release: () => this.#release() };
    } catch (error) {
      this.#release();
      throw error;
    }
  }

  /** The circuit that is waited for may lead to where the peer was; a fresh one is tried. */
  redial(): void {
    this.#giveUpAttempt();
  }

  close(): void {
    this.#closed = true;
    this.#stopIdleTimer();
    this.#drop();
  }

  #release(): void {
    this.#calls -= 1;
    if (this.#calls > 0 || this.#options.lane === 0 || this.#closed) return;
    this.#stopIdleTimer = this.#options.clock.after(DEADLINES_MS.laneIdle, () => this.#drop());
  }

  #connected(): Promise<Connection> {
    if (this.#connection !== undefined && this.#up) return Promise.resolve(this.#connection);
    this.#connecting ??= this.#connect().finally(() => {
      this.#connecting = undefined;
    });
    return this.#connecting;
  }

  async #connect(): Promise<Connection> {
    const { clock } = this.#options;
    const deadline = new AbortController();
    const stopTimer = clock.after(DEADLINES_MS.connect, () => deadline.abort());
    try {
      for (let failures = 0, hangs = 0; ; ) {
        const connection = this.#open();
        const withinMs = backOffMs(hangs, DEADLINES_MS.connectAttempt, DEADLINES_MS.connect);
        const outcome = await this.#attempt(connection, withinMs, deadline.signal);
        if (outcome === 'ready') {
          this.#watch(connection);
          return connection;
        }
        this.#drop();
        // A circuit that hangs says nothing about the peer: another one is tried for as long as there is time.
        if (outcome === 'failed') failures += 1;
        else hangs += 1;
        if (failures >= CONNECT_ATTEMPTS || deadline.signal.aborted || this.#closed) {
          throw new BbError('PEER_UNREACHABLE', 'the peer cannot be reached');
        }
        await clock.sleep(DEADLINES_MS.reconnectMin, deadline.signal);
      }
    } finally {
      stopTimer();
    }
  }

  async #attempt(
    { channel }: Connection,
    withinMs: number,
    deadline: AbortSignal,
  ): Promise<'ready' | 'failed' | 'hung'> {
    const hung = new AbortController();
    this.#giveUpAttempt = () => hung.abort();
    const stopTimer = this.#options.clock.after(withinMs, this.#giveUpAttempt);
    try {
      const isReady = await settled(channel, AbortSignal.any([deadline, hung.signal]));
      if (isReady && !this.#closed) return 'ready';
      return hung.signal.aborted ? 'hung' : 'failed';
    } finally {
      stopTimer();
    }
  }

  #open(): Connection {
    this.#drop();
    const { peer, lane, open } = this.#options;
    const channel = open({ peer, lane, onSecure: (group) => (this.#group = group) });
    // The credentials are those of the channel; the client asks for some and does not use them.
    const client = new Client(peer, credentials.createInsecure(), { channelOverride: channel });
    this.#connection = { channel, client };
    return this.#connection;
  }

  #watch(connection: Connection): void {
    this.#up = true;
    this.#options.onState(true, this.#group);
    connection.channel.watchConnectivityState(connectivityState.READY, Number.POSITIVE_INFINITY, () => {
      if (this.#connection === connection) this.#drop();
    });
  }

  /** Forgets the channel. Calls that still run on it end by themselves. */
  #drop(): void {
    const connection = this.#connection;
    this.#connection = undefined;
    if (this.#up) {
      this.#up = false;
      this.#options.onState(false, '');
    }
    connection?.client.close();
  }
}

/** True when the channel has a session; false when an attempt failed or `signal` aborted. */
function settled(channel: Channel, signal: AbortSignal): Promise<boolean> {
  return new Promise((resolve) => {
    const giveUp = (): void => resolve(false);
    signal.addEventListener('abort', giveUp, { once: true });
    const end = (ready: boolean): void => {
      signal.removeEventListener('abort', giveUp);
      resolve(ready);
    };
    const look = (): void => {
      if (signal.aborted) return end(false);
      const state = channel.getConnectivityState(true);
      if (state === connectivityState.READY) return end(true);
      if (state === connectivityState.TRANSIENT_FAILURE || state === connectivityState.SHUTDOWN) return end(false);
      channel.watchConnectivityState(state, Number.POSITIVE_INFINITY, look);
    };
    look();
  });
}

async function unlessAborted<Result>(work: Promise<Result>, signal: AbortSignal | undefined): Promise<Result> {
  if (signal === undefined) return work;
  return new Promise((resolve, reject) => {
    const abort = (): void => reject(interrupted());
    signal.addEventListener('abort', abort, { once: true });
    if (signal.aborted) abort();
    work.then(resolve, reject).finally(() => signal.removeEventListener('abort', abort));
  });
}
