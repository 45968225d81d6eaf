// The calls to other daemons over gRPC. One warm control channel and a few bulk channels per peer, each on a circuit of its
// own; every reply is hostile until its codec has checked it.

import type { ContractState } from '../../core/contract/state.ts';
import type { OnionId } from '../../core/ids.ts';
import { BbError } from '../../core/errors.ts';
import { BULK_LANES, PEERS } from '../../core/limits.ts';
import { DEADLINES_MS } from '../../core/policy/periods.ts';
import type { ChallengeQuestion } from '../../core/challenge/question.ts';
import type { Clock } from '../../ports/clock.ts';
import type {
  CallOptions,
  DownloadRequest,
  DownloadSection,
  Hello,
  LossReport,
  Offer,
  PeerClient,
  PeerShare,
  PeerConnection,
  ProposalAnswer,
  RevisionReport,
  SignedTerms,
} from '../../ports/peer-client.ts';
import { streamCall, unaryCall } from './client-call.ts';
import { MalformedMessage } from '../wire-checks.ts';
import type { Proof } from './challenge-messages.ts';
import type { StateAnswer } from './contract-messages.ts';
import { DownloadCover } from './download-cover.ts';
import { PEER_METHODS } from './methods.ts';
import type { PeerMethod } from './methods.ts';
import { PeerLane } from './peer-lane.ts';
import type { OpenChannel } from './peer-lane.ts';
import type { OfferAnswer } from './revision-messages.ts';

export type GrpcPeerClientDeps = { readonly openChannel: OpenChannel; readonly clock: Clock };

type Lanes = Map<number, PeerLane>;

export class GrpcPeerClient implements PeerClient {
  readonly #deps: GrpcPeerClientDeps;
  readonly #peers = new Map<OnionId, Lanes>();
  readonly #listeners = new Set<(event: PeerConnection) => void>();
  #closed = false;

  constructor(deps: GrpcPeerClientDeps) {
    this.#deps = deps;
  }

  healthCheck(peer: OnionId, options?: CallOptions): Promise<Hello> {
    return this.#call(peer, PEER_METHODS.healthCheck, undefined, options);
  }

  exchangePeers(peer: OnionId, ours: PeerShare, options?: CallOptions): Promise<PeerShare> {
    return this.#call(peer, PEER_METHODS.peerExchange, ours, options);
  }

  getContentRevision(peer: OnionId, held: Buffer, options?: CallOptions): Promise<RevisionReport> {
    return this.#call(peer, PEER_METHODS.getContentRevision, held, options);
  }

  setContentRevision(peer: OnionId, offer: Offer, options?: CallOptions): Promise<OfferAnswer> {
    return this.#call(peer, PEER_METHODS.setContentRevision, offer, options);
  }

  proposeContract(peer: OnionId, terms: Buffer, signature: Buffer, options?: CallOptions): Promise<ProposalAnswer> {
    return this.#call(peer, PEER_METHODS.proposeContract, { terms, signature }, options);
  }

  acceptContract(
    peer: OnionId,
    digest: Buffer,
    accept: boolean,
    signature: Buffer,
    reason: string,
    options?: CallOptions,
  ): Promise<StateAnswer> {
    return this.#call(peer, PEER_METHODS.acceptContract, { digest, accept, signature, reason }, options);
  }

  endContract(
    peer: OnionId,
    digest: Buffer,
    noticeSeconds: number,
    signature: Buffer,
    options?: CallOptions,
  ): Promise<{ readonly state: ContractState | undefined }> {
    return this.#call(peer, PEER_METHODS.endContract, { digest, noticeSeconds, signature }, options);
  }

  getContract(peer: OnionId, options?: CallOptions): Promise<SignedTerms | undefined> {
    return this.#call(peer, PEER_METHODS.getContract, undefined, options);
  }

  reportLoss(peer: OnionId, loss: LossReport, options?: CallOptions): Promise<void> {
    return this.#call(peer, PEER_METHODS.reportLoss, loss, options);
  }

  challenge(peer: OnionId, question: ChallengeQuestion, options?: CallOptions): Promise<Proof> {
    const deadlineMs = options?.deadlineMs ?? DEADLINES_MS.challenge + DEADLINES_MS.challengeSlack;
    return this.#call(peer, PEER_METHODS.challenge, question, { ...options, deadlineMs });
  }

  /** The sections as asked: head first, then exactly the wanted range; BAD_PEER_DATA for anything else. */
  async *download(
    peer: OnionId,
    request: DownloadRequest,
    lane: number,
    options: CallOptions = {},
  ): AsyncGenerator<DownloadSection, void> {
    const cover = new DownloadCover(request);
    const held = await this.#lane(peer, lane).hold(options.signal);
    try {
      for await (const section of streamCall(
        held.client,
        this.#deps.clock,
        PEER_METHODS.download,
        request,
        options.signal,
      )) {
        badPeerData(() => cover.take(section));
        yield section;
      }
      badPeerData(() => cover.finish());
    } finally {
      held.release();
    }
  }

  isConnected(peer: OnionId): boolean {
    return this.#peers.get(peer)?.get(0)?.up ?? false;
  }

  forget(peer: OnionId): void {
    const lanes = this.#peers.get(peer);
    this.#peers.delete(peer);
    for (const lane of lanes?.values() ?? []) lane.close();
  }

  redial(peer: OnionId): void {
    for (const lane of this.#peers.get(peer)?.values() ?? []) lane.redial();
  }

  onConnection(listener: (event: PeerConnection) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  close(): Promise<void> {
    this.#closed = true;
    for (const peer of [...this.#peers.keys()]) this.forget(peer);
    this.#listeners.clear();
    return Promise.resolve();
  }

  async #call<Request, Response>(
    peer: OnionId,
    method: PeerMethod<'unary', Request, Response>,
    request: Request,
    options: CallOptions = {},
  ): Promise<Response> {
    const held = await this.#lane(peer, 0).hold(options.signal);
    try {
      const deadlineMs = options.deadlineMs ?? DEADLINES_MS.call;
      return await unaryCall(held.client, this.#deps.clock, method, request, deadlineMs, options.signal);
    } finally {
      held.release();
    }
  }

  #lane(peer: OnionId, lane: number): PeerLane {
    if (this.#closed) throw new BbError('PEER_UNREACHABLE', 'the node is going offline');
    const lanes = this.#lanesOf(peer);
    // More lanes than there may be are shared, so a caller that counts wrong cannot open circuits without end.
    const number = lane === 0 ? 0 : ((lane - 1) % BULK_LANES) + 1;
    let found = lanes.get(number);
    if (found === undefined) {
      found = new PeerLane({
        peer,
        lane: number,
        open: this.#deps.openChannel,
        clock: this.#deps.clock,
        onState: (up, group) => {
          if (number === 0) for (const listener of this.#listeners) listener({ peer, up, group });
        },
      });
      lanes.set(number, found);
    }
    return found;
  }

  /** In the order of last use; above PEERS the one that was silent longest loses its channels. */
  #lanesOf(peer: OnionId): Lanes {
    const lanes: Lanes = this.#peers.get(peer) ?? new Map();
    this.#peers.delete(peer);
    this.#peers.set(peer, lanes);
    if (this.#peers.size > PEERS) {
      for (const [other, theirs] of this.#peers) {
        if (other === peer || [...theirs.values()].some((lane) => lane.busy)) continue;
        this.forget(other);
        break;
      }
    }
    return lanes;
  }
}

function badPeerData(check: () => void): void {
  try {
    check();
  } catch (cause) {
    if (!(cause instanceof MalformedMessage)) throw cause;
    throw new BbError('BAD_PEER_DATA', 'the peer sent other sections than asked', { cause });
  }
}
