// The calls of one simulated process to others: sessions that come up and break, replies that come late or never, and the
// errors that the real client makes of all that.

import type { ChallengeQuestion } from '../../src/core/challenge/question.ts';
import { BbError } from '../../src/core/errors.ts';
import type { OnionId } from '../../src/core/ids.ts';
import { DEADLINES_MS } from '../../src/core/policy/periods.ts';
import { PeerRefusal } from '../../src/core/refusal.ts';
import type { PeerApi } from '../../src/daemon/peer-api.ts';
import type {
  CallOptions,
  DownloadRequest,
  DownloadSection,
  Offer,
  PeerClient,
  LossReport,
  PeerConnection,
  PeerShare,
} from '../../src/ports/peer-client.ts';
import { DownloadCover } from '../../src/rpc/peer/download-cover.ts';
import { PEER_METHODS } from '../../src/rpc/peer/methods.ts';
import { MalformedMessage } from '../../src/rpc/wire-checks.ts';
import { onAbort } from './abort-fan.ts';
import type { Endpoint, Link, SimNetwork } from './sim-network.ts';

type Method = Exclude<keyof typeof PEER_METHODS, 'encryptedDownload' | 'chat' | 'encryptedChat'>;

/** Bytes of a stream are waited for in steps of about this long, so that a transfer costs few events. */
const TRANSFER_STEP_MS = 2_000;
/** Why a stream ends at the serving side; without one the platform makes an error for each. */
const CALLER_LEFT = 'the caller has left';

export class SimPeerClient implements PeerClient {
  readonly #network: SimNetwork;
  readonly #self: Endpoint;
  readonly #links = new Map<OnionId, Link>();
  readonly #connecting = new Map<OnionId, Promise<Link>>();
  readonly #listeners = new Set<(event: PeerConnection) => void>();
  #isClosed = false;

  constructor(network: SimNetwork, self: Endpoint) {
    this.#network = network;
    this.#self = self;
  }

  healthCheck(peer: OnionId, options?: CallOptions) {
    return this.#call(peer, 'healthCheck', (api, self) => api.healthCheck(self), options);
  }

  exchangePeers(peer: OnionId, ours: PeerShare, options?: CallOptions) {
    return this.#call(peer, 'peerExchange', (api, self) => api.exchangePeers(self, ours), options);
  }

  getContentRevision(peer: OnionId, held: Buffer, options?: CallOptions) {
    return this.#call(peer, 'getContentRevision', (api, self) => api.getContentRevision(self, held), options);
  }

  setContentRevision(peer: OnionId, offer: Offer, options?: CallOptions) {
    return this.#call(peer, 'setContentRevision', (api, self) => api.setContentRevision(self, offer), options);
  }

  proposeContract(peer: OnionId, terms: Buffer, signature: Buffer, options?: CallOptions) {
    return this.#call(peer, 'proposeContract', (api, self) => api.proposeContract(self, terms, signature), options);
  }

  acceptContract(
    peer: OnionId,
    digest: Buffer,
    accept: boolean,
    signature: Buffer,
    reason: string,
    options?: CallOptions,
  ) {
    const invoke = (api: PeerApi, self: OnionId) => api.acceptContract(self, digest, accept, signature, reason);
    return this.#call(peer, 'acceptContract', invoke, options);
  }

  endContract(peer: OnionId, digest: Buffer, noticeSeconds: number, signature: Buffer, options?: CallOptions) {
    const invoke = (api: PeerApi, self: OnionId) => api.endContract(self, digest, noticeSeconds, signature);
    return this.#call(peer, 'endContract', invoke, options);
  }

  reportLoss(peer: OnionId, loss: LossReport, options?: CallOptions) {
    return this.#call(peer, 'reportLoss', (api, self) => api.reportLoss(self, loss), options);
  }

  getContract(peer: OnionId, options?: CallOptions) {
    return this.#call(peer, 'getContract', (api, self) => api.getContract(self), options);
  }

  challenge(peer: OnionId, question: ChallengeQuestion, options?: CallOptions) {
    const deadlineMs = options?.deadlineMs ?? DEADLINES_MS.challenge + DEADLINES_MS.challengeSlack;
    return this.#call(peer, 'challenge', (api, self) => api.challenge(self, question), { ...options, deadlineMs });
  }

  async *download(
    peer: OnionId,
    request: DownloadRequest,
    lane: number,
    options: CallOptions = {},
  ): AsyncGenerator<DownloadSection, void> {
    const cover = new DownloadCover(request);
    const link = await this.#link(peer, options.signal);
    const call = new AbortController();
    let end: () => void = () => undefined;
    try {
      const sections = await this.#exchange(
        link,
        async () => {
          admit(link, 'download');
          const release = once(link.to.quota.takeDownload(this.#self.onionId));
          const forget = link.onServingEnd(() => end());
          end = () => {
            call.abort(CALLER_LEFT);
            release();
            forget();
          };
          return link.to.api.download(this.#self.onionId, request, call.signal);
        },
        options,
      );
      const firstMs = lane === 0 ? 0 : this.#network.draw(this.#network.model.connectMs);
      yield* this.#stream(link, sections[Symbol.asyncIterator](), cover, firstMs, options.signal);
    } finally {
      end();
    }
  }

  isConnected(peer: OnionId): boolean {
    return this.#links.has(peer);
  }

  forget(peer: OnionId): void {
    const link = this.#links.get(peer);
    if (link === undefined) return;
    if (link.isUp) this.#network.close(link, this.#self);
    else link.notice();
  }

  /** Circuits that lead nowhere are not simulated. */
  redial(): void {}

  onConnection(listener: (event: PeerConnection) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  close(): Promise<void> {
    this.#isClosed = true;
    for (const peer of [...this.#links.keys()]) this.forget(peer);
    this.#listeners.clear();
    return Promise.resolve();
  }

  async #call<Response>(
    peer: OnionId,
    method: Method,
    invoke: (api: PeerApi, self: OnionId) => Promise<Response>,
    options: CallOptions = {},
  ): Promise<Response> {
    const link = await this.#link(peer, options.signal);
    return this.#exchange(
      link,
      async () => {
        admit(link, method);
        return invoke(link.to.api, this.#self.onionId);
      },
      options,
    );
  }

  /** One request and its reply. */
  #exchange<Response>(link: Link, run: () => Promise<Response>, options: CallOptions): Promise<Response> {
    const { signal, deadlineMs = DEADLINES_MS.call } = options;
    const network = this.#network;
    return new Promise((resolve, reject) => {
      if (signal?.aborted === true) return reject(interrupted());
      const end = (then: () => void) => (): void => {
        stopTimer();
        stopNotice();
        stopAbort();
        then();
      };
      const onLost = end(() => reject(unreachable()));
      const stopTimer = this.#self.life.clock.after(deadlineMs, onLost);
      const stopNotice = link.onNotice(onLost);
      const stopAbort = onAbort(
        signal,
        end(() => reject(interrupted())),
      );
      if (link.isNoticed) return onLost();
      const reply = (then: () => void): void => network.deliver(link, this.#self, end(then));
      network.deliver(link, link.to, () => {
        run().then(
          (response) => reply(() => resolve(response)),
          (error: unknown) => reply(() => reject(refusalOf(error))),
        );
      });
    });
  }

  /** The sections of a stream as they arrive; `owedMs`: how long the first one takes anyway. */
  async *#stream(
    link: Link,
    sections: AsyncIterator<DownloadSection>,
    cover: DownloadCover,
    owedMs: number,
    signal: AbortSignal | undefined,
  ): AsyncGenerator<DownloadSection, void> {
    for (;;) {
      const next = await this.#whileUp(link, sections.next(), signal);
      if (owedMs > TRANSFER_STEP_MS || next.done === true) {
        const arrived = new Promise<void>((done) => this.#self.life.later(owedMs, done));
        await this.#whileUp(link, arrived, signal);
        owedMs = 0;
      }
      if (next.done === true) break;
      badPeerData(() => cover.take(next.value));
      const bytes = sizeOf(next.value);
      this.#network.bytes += bytes;
      owedMs += (bytes * 1000) / link.bytesPerSecond;
      yield next.value;
    }
    badPeerData(() => cover.finish());
  }

  /** The outcome of `work`, unless the session ends or the caller gives up first. */
  #whileUp<Result>(link: Link, work: Promise<Result>, signal: AbortSignal | undefined): Promise<Result> {
    return new Promise((resolve, reject) => {
      if (link.isNoticed) return reject(unreachable());
      if (signal?.aborted === true) return reject(interrupted());
      const end = (): void => {
        stopNotice();
        stopAbort();
      };
      const stopNotice = link.onNotice(() => {
        end();
        reject(unreachable());
      });
      const stopAbort = onAbort(signal, () => {
        end();
        reject(interrupted());
      });
      work.then(
        (result) => {
          end();
          resolve(result);
        },
        (error: unknown) => {
          end();
          reject(refusalOf(error));
        },
      );
    });
  }

  /** The session to a peer, dialled when there is none. */
  #link(peer: OnionId, signal: AbortSignal | undefined): Promise<Link> {
    if (this.#isClosed) return Promise.reject(unreachable());
    const link = this.#links.get(peer);
    if (link !== undefined) return Promise.resolve(link);
    const connecting = this.#connecting.get(peer) ?? this.#connect(peer);
    return signal === undefined ? connecting : unlessAborted(connecting, signal);
  }

  #connect(peer: OnionId): Promise<Link> {
    const network = this.#network;
    const connecting = new Promise<Link>((resolve, reject) => {
      this.#self.life.later(network.draw(network.model.connectMs), () => {
        this.#connecting.delete(peer);
        const to = this.#isClosed ? undefined : network.find(this.#self, peer);
        if (to === undefined) return reject(unreachable());
        const link = network.open(this.#self, to);
        this.#links.set(peer, link);
        link.onNotice(() => {
          if (this.#links.get(peer) === link) this.#links.delete(peer);
          this.#tell({ peer, up: false, group: '' });
        });
        this.#tell({ peer, up: true, group: 'simulated' });
        resolve(link);
      });
    });
    this.#connecting.set(peer, connecting);
    return connecting;
  }

  #tell(event: PeerConnection): void {
    for (const listener of [...this.#listeners]) listener(event);
  }
}

/** The rules of the wire for who may call what, and how often. */
function admit({ from, to }: Link, name: Method): void {
  const method = PEER_METHODS[name];
  const caller = to.api.classify(from.onionId);
  const isAllowed = method.callers.includes(caller);
  if (method.quota === 'calls' || !isAllowed) to.quota.takeCall(from.onionId, caller);
  if (!isAllowed) throw new PeerRefusal('NO_CONTRACT');
}

/** What reaches the caller of an error at the other side: a named refusal, and nothing else. */
function refusalOf(error: unknown): PeerRefusal {
  return error instanceof PeerRefusal ? error : new PeerRefusal('INTERNAL');
}

function once(act: () => void): () => void {
  let isDone = false;
  return () => {
    if (!isDone) act();
    isDone = true;
  };
}

function badPeerData(check: () => void): void {
  try {
    check();
  } catch (cause) {
    if (!(cause instanceof MalformedMessage)) throw cause;
    throw new BbError('BAD_PEER_DATA', 'the peer sent other sections than asked', { cause });
  }
}

function sizeOf(section: DownloadSection): number {
  if (section.kind === 'raw') return section.bytes.length;
  return section.kind === 'leaves' ? section.leaves.length : 64;
}

/** One for all: most calls of a society end so, and nobody changes an error. */
const UNREACHABLE = new BbError('PEER_UNREACHABLE', 'the peer cannot be reached');

function unreachable(): BbError {
  return UNREACHABLE;
}

function interrupted(): BbError {
  return new BbError('INTERRUPTED', 'the call was given up');
}

function unlessAborted<Result>(work: Promise<Result>, signal: AbortSignal): Promise<Result> {
  return new Promise((resolve, reject) => {
    if (signal.aborted) return reject(interrupted());
    const stop = onAbort(signal, () => reject(interrupted()));
    const end =
      <Outcome>(settle: (outcome: Outcome) => void) =>
      (outcome: Outcome): void => {
        stop();
        settle(outcome);
      };
    work.then(end(resolve), end(reject));
  });
}
