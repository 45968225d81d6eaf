// What the daemon answers to other daemons, in the words of the core. The protobuf edge in `rpc`
// validates and translates; it calls nothing else. A refusal is thrown as PeerRefusal (core/refusal).

import type { ChallengeQuestion } from '../core/challenge/question.ts';
import type { ContractState } from '../core/contract/state.ts';
import type { OnionId } from '../core/ids.ts';
import type {
  DownloadRequest,
  DownloadSection,
  Hello,
  LossReport,
  Offer,
  OfferOutcome,
  PeerShare,
  ProposalAnswer,
  RevisionReport,
  SignedTerms,
} from '../ports/peer-client.ts';

/** `own` = a connection under our own key: HealthCheck only. `known` = added or in a contract. `blocked` = nothing. */
export type CallerClass = 'own' | 'known' | 'unknown' | 'blocked';

export interface PeerApi {
  classify(caller: OnionId): CallerClass;
  /** An authenticated session of the caller began or ended. */
  session(caller: OnionId, up: boolean, group: string): void;
  healthCheck(caller: OnionId): Promise<Hello>;
  exchangePeers(caller: OnionId, theirs: PeerShare): Promise<PeerShare>;
  getContentRevision(caller: OnionId, held: Buffer): Promise<RevisionReport>;
  setContentRevision(
    caller: OnionId,
    offer: Offer,
  ): Promise<{ readonly outcome: OfferOutcome; readonly latestKnown: Buffer }>;
  download(caller: OnionId, request: DownloadRequest, signal: AbortSignal): AsyncIterable<DownloadSection>;
  proposeContract(caller: OnionId, terms: Buffer, signature: Buffer): Promise<ProposalAnswer>;
  acceptContract(
    caller: OnionId,
    digest: Buffer,
    accept: boolean,
    signature: Buffer,
    reason: string,
  ): Promise<{ readonly state: ContractState | undefined }>;
  endContract(
    caller: OnionId,
    digest: Buffer,
    noticeSeconds: number,
    signature: Buffer,
  ): Promise<{ readonly state: ContractState | undefined }>;
  /** The caller lost cells of our content. */
  reportLoss(caller: OnionId, loss: LossReport): Promise<void>;
  getContract(caller: OnionId): Promise<SignedTerms | undefined>;
  challenge(
    caller: OnionId,
    question: ChallengeQuestion,
  ): Promise<{ readonly mac: Buffer; readonly blocksRead: number }>;
}
