// Tor for the daemon: keeps a tor running or attached, keeps our onion service published, dials peers.
// Invariant: a wanted service is added again after every loss of tor or of the control connection, with growing waits;
// a slow bootstrap or a descriptor that is late is reported and waited for, never answered with a restart.

import { connect } from 'node:net';
import type { Socket } from 'node:net';
import { BbError, isBbError, toBbError } from '../../core/errors.ts';
import type { OnionId } from '../../core/ids.ts';
import { DEADLINES_MS } from '../../core/policy/periods.ts';
import type { Clock } from '../../ports/clock.ts';
import type { Logger } from '../../ports/logger.ts';
import type { OnionHost, TorState } from '../../ports/onion-host.ts';
import type { OnionRoute } from '../onion-route.ts';
import type { ControlClient } from './control-client.ts';
import { DescriptorUploads } from './descriptor-uploads.ts';
import { addOnion, removeOnion } from './onion-service.ts';
import { socksConnect } from './socks.ts';
import { runTorSession } from './tor-session.ts';
import type { TorSource } from './tor-session.ts';

export type TorHostOptions = {
  readonly source: TorSource;
  /** Our TLS server's Unix socket, which tor connects to. */
  readonly backend: string;
};

export type TorHostDeps = { readonly clock: Clock; readonly logger: Logger };

type Service = { readonly expandedKey: string; readonly id: OnionId };

const CLOSED: TorState = { phase: 'down', percent: 0, words: 'not started', version: undefined, published: false };

export class TorHost implements OnionHost, OnionRoute {
  readonly #options: TorHostOptions;
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #listeners = new Set<(state: TorState) => void>();
  readonly #ending = new AbortController();
  #state = CLOSED;
  #running: Promise<void> | undefined;
  #control: ControlClient | undefined;
  #socks: string | undefined;
  #wanted: Service | undefined;
  /** Which service a control connection has been given. */
  readonly #added = new WeakMap<ControlClient, OnionId>();
  #uploads: DescriptorUploads | undefined;
  #cancelTimer: () => void = () => undefined;

  constructor(options: TorHostOptions, deps: TorHostDeps) {
    this.#options = options;
    this.#clock = deps.clock;
    this.#logger = deps.logger;
  }

  start(): Promise<void> {
    this.#running ??= this.#run();
    return Promise.resolve();
  }

  state(): TorState {
    return this.#state;
  }

  onState(listener: (state: TorState) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  async publish(expandedKey: string, id: OnionId): Promise<void> {
    await this.unpublish();
    this.#wanted = { expandedKey, id };
    void this.#publishWanted();
  }

  async unpublish(): Promise<void> {
    const service = this.#wanted;
    this.#wanted = undefined;
    this.#uploads = undefined;
    this.#cancelTimer();
    if (service === undefined) return;
    this.#change({ published: false });
    const control = this.#control;
    if (control === undefined || this.#added.get(control) !== service.id) return;
    this.#added.delete(control);
    // A connection that dies meanwhile has taken the service with it.
    await removeOnion(control, service.id).catch(() => undefined);
  }

  target(): string {
    if (this.#state.phase !== 'ready' || this.#socks === undefined) throw notReady();
    return this.#socks;
  }

  async open(socket: Socket, peer: OnionId, isolation: string, deadlineMs: number): Promise<void> {
    if (this.#state.phase !== 'ready') {
      socket.destroy();
      throw notReady();
    }
    await socksConnect(socket, peer, isolation, deadlineMs);
  }

  /** A raw stream to a peer's onion service; the gRPC channels use `target` and `open` instead. */
  async dial(peer: OnionId, isolation: string, deadlineMs: number): Promise<Socket> {
    const socket = connect(connectOptions(this.target()));
    await new Promise<void>((resolve, reject) => {
      socket.once('connect', resolve);
      socket.once('error', (cause) => reject(new BbError('TOR_UNREACHABLE', "tor's SOCKS socket is gone", { cause })));
    });
    await this.open(socket, peer, isolation, deadlineMs);
    return socket;
  }

  async close(): Promise<void> {
    this.#wanted = undefined;
    this.#cancelTimer();
    this.#ending.abort();
    await this.#running;
    this.#listeners.clear();
  }

  /** One session of tor after the other until close(). */
  async #run(): Promise<void> {
    const { signal } = this.#ending;
    let waitMs: number = DEADLINES_MS.reconnectMin;
    while (!signal.aborted) {
      this.#change({ phase: 'starting', percent: 0, words: 'starting', published: false });
      const failure = await this.#session(signal);
      const wasReady = this.#socks !== undefined;
      this.#control = undefined;
      this.#socks = undefined;
      this.#uploads = undefined;
      this.#cancelTimer();
      if (signal.aborted) break;
      const phase = isBbError(failure, 'NO_TOR') ? 'absent' : 'down';
      this.#change({ phase, percent: 0, words: failure.message, version: undefined, published: false });
      this.#logger.warn('tor is not connected', { code: failure.code, retryMs: waitMs });
      await this.#clock.sleep(waitMs, signal);
      waitMs = wasReady ? DEADLINES_MS.reconnectMin : Math.min(2 * waitMs, DEADLINES_MS.reconnectMax);
    }
    this.#change(CLOSED);
  }

  async #session(signal: AbortSignal): Promise<BbError> {
    try {
      await runTorSession(
        this.#options.source,
        this.#clock,
        {
          onControl: (control) => {
            this.#control = control;
            this.#change({ phase: 'bootstrapping', version: control.version });
          },
          onBootstrap: (bootstrap) => this.#change(bootstrap),
          onReady: (socks) => {
            this.#socks = socks;
            this.#change({ phase: 'ready', percent: 100, words: 'connected' });
            this.#logger.info('tor is connected', { version: this.#state.version });
            void this.#publishWanted();
          },
          onEvent: (text) => this.#takeEvent(text),
        },
        signal,
      );
      return new BbError('TOR_UNREACHABLE', 'tor was stopped');
    } catch (error) {
      return toBbError(error);
    }
  }

  /** Adds the wanted service once per control connection; a refusal is tried again later, without disturbing tor. */
  async #publishWanted(): Promise<void> {
    const service = this.#wanted;
    const control = this.#control;
    if (service === undefined || control === undefined || this.#state.phase !== 'ready') return;
    if (this.#added.get(control) === service.id) return;
    this.#added.set(control, service.id);
    this.#uploads = new DescriptorUploads(service.id);
    this.#cancelTimer();
    this.#cancelTimer = this.#clock.after(DEADLINES_MS.descriptorUpload, () => {
      this.#logger.warn('the onion service is not announced yet; tor keeps trying');
    });
    try {
      await addOnion(control, service.expandedKey, service.id, this.#options.backend);
    } catch (error) {
      this.#added.delete(control);
      this.#cancelTimer();
      this.#logger.warn('the onion service could not be added', { code: toBbError(error).code });
      this.#cancelTimer = this.#clock.after(DEADLINES_MS.reconnectMax, () => void this.#publishWanted());
    }
  }

  /** Announced when all uploads are done, or a while after the first: one slow directory must not hold us up. */
  #takeEvent(text: string): void {
    const uploads = this.#uploads;
    if (uploads === undefined || this.#state.published) return;
    const hadBegun = uploads.begun;
    uploads.take(text);
    if (uploads.complete) this.#announced();
    else if (uploads.begun && !hadBegun) {
      this.#cancelTimer();
      this.#cancelTimer = this.#clock.after(DEADLINES_MS.descriptorSettle, () => this.#announced());
    }
  }

  #announced(): void {
    this.#cancelTimer();
    this.#change({ published: true });
  }

  #change(part: Partial<TorState>): void {
    this.#state = { ...this.#state, ...part };
    for (const listener of this.#listeners) listener(this.#state);
  }
}

/** Where `target()` points, for node:net. */
export function connectOptions(target: string): { path: string } | { host: string; port: number } {
  const [, host, port] = /^([\d.]+):(\d+)$/.exec(target) ?? [];
  return host === undefined ? { path: target } : { host, port: Number(port) };
}

function notReady(): BbError {
  return new BbError('TOR_UNREACHABLE', 'tor is not connected yet');
}
