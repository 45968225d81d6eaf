// The PeerApi of an unlocked node: each method is one use case.

import { answerChallenge } from './answer-challenge.ts';
import { answerContact } from './answer-contact.ts';
import { answerLoss } from './answer-loss.ts';
import { answerOffer } from './answer-offer.ts';
import { answerAccept, answerProposal } from './answer-proposal.ts';
import { signedTerms } from './contracts.ts';
import { answerEnd } from './end-contract.ts';
import type { PeerApi } from './peer-api.ts';
import { answerExchange } from './exchange-peers.ts';
import { onIncoming, PROTOCOL_VERSION } from './presence.ts';
import { serveDownload } from './serve-download.ts';
import type { Session } from './session.ts';

export function peerApiOf(session: Session): PeerApi {
  return {
    classify: (caller) => {
      if (caller === session.self) return 'own';
      if (session.registry.peer(caller)?.blocked === true) return 'blocked';
      const contract = session.registry.contract(caller);
      const bound = contract !== undefined && contract.state !== 'RELEASED';
      const known = bound || session.registry.peer(caller)?.added === true || session.callers.has(caller);
      return known ? 'known' : 'unknown';
    },
    session: (caller, up, group) => onIncoming(session, caller, up, group),
    healthCheck: async (caller) => ({
      clientOnion: caller,
      serverOnion: session.self,
      protocolMin: PROTOCOL_VERSION,
      protocolMax: PROTOCOL_VERSION,
      instance: caller === session.self ? session.instance : Buffer.alloc(0),
    }),
    exchangePeers: (caller, theirs) => answerExchange(session, caller, theirs),
    getContentRevision: (caller, held) => answerContact(session, caller, held),
    setContentRevision: (caller, offer) => answerOffer(session, caller, offer),
    download: (caller, request, signal) => serveDownload(session, caller, request, signal),
    proposeContract: (caller, terms, signature) => answerProposal(session, caller, terms, signature),
    acceptContract: (caller, digest, accept, signature, reason) =>
      answerAccept(session, caller, { digest, accept, signature, reason }),
    endContract: (caller, digest, noticeSeconds, signature) =>
      answerEnd(session, caller, digest, noticeSeconds, signature),
    reportLoss: (caller, loss) => answerLoss(session, caller, loss),
    getContract: async (caller) => signedTerms(session, caller),
    challenge: (caller, question) => answerChallenge(session, caller, question),
  };
}
