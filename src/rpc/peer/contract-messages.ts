// ProposeContract, AcceptContract, EndContract and GetContract on the wire. `terms` are the signed bytes themselves; what
// they say is for the core to read.

import type { ContractState } from '../../core/contract/state.ts';
import { REASON_BYTES, RPC_MESSAGE_BYTES, RPC_REQUEST_BYTES, TERMS_BYTES } from '../../core/limits.ts';
import {
  AcceptContractRequest,
  AcceptContractResponse,
  EndContractRequest,
  EndContractResponse,
  GetContractRequest,
  GetContractResponse,
  ProposalAnswer as WireAnswer,
  ProposeContractRequest,
  ProposeContractResponse,
} from '../../gen/bbrpc/v1/bbrpc.ts';
import type { ProposalAnswer, SignedTerms } from '../../ports/peer-client.ts';
import { enumWords } from '../enum-words.ts';
import { messageCodec } from '../message-codec.ts';
import { boundedBytes, exactBytes, exactOrEmpty, knownWord, MalformedMessage, wireNumber } from '../wire-checks.ts';
import { contractStateWords } from './contract-state.ts';

const SIGNATURE_BYTES = 64;
const DIGEST_BYTES = 32;

export type Proposal = { readonly terms: Buffer; readonly signature: Buffer };
export type Acceptance = {
  readonly digest: Buffer;
  readonly accept: boolean;
  readonly signature: Buffer;
  readonly reason: string;
};
export type Notice = { readonly digest: Buffer; readonly noticeSeconds: number; readonly signature: Buffer };
export type StateAnswer = { readonly state: ContractState | undefined };

const answerWords = enumWords<ProposalAnswer['answer'], WireAnswer>({
  ACCEPTED: WireAnswer.PROPOSAL_ANSWER_ACCEPTED,
  PENDING: WireAnswer.PROPOSAL_ANSWER_PENDING,
  REJECTED: WireAnswer.PROPOSAL_ANSWER_REJECTED,
});

export const proposeContractRequest = messageCodec<ProposeContractRequest, Proposal>(ProposeContractRequest, {
  maxBytes: RPC_REQUEST_BYTES,
  shape: {},
  toWire: ({ terms, signature }) => ({ terms, sig: signature }),
  fromWire: (wire) => ({
    terms: boundedBytes(wire.terms, 1, TERMS_BYTES, 'terms'),
    signature: exactBytes(wire.sig, SIGNATURE_BYTES, 'sig'),
  }),
});

export const proposeContractResponse = messageCodec<ProposeContractResponse, ProposalAnswer>(ProposeContractResponse, {
  maxBytes: RPC_MESSAGE_BYTES,
  shape: {},
  toWire: ({ answer, signature, reason }) => ({
    answer: answerWords.toWire(answer),
    sig: signature,
    reason: reasonToWire(reason),
  }),
  fromWire: (wire) => {
    const answer = knownWord(answerWords.words, wire.answer, 'answer');
    return {
      answer,
      signature: exactBytes(wire.sig, answer === 'ACCEPTED' ? SIGNATURE_BYTES : 0, 'sig'),
      reason: reasonOf(wire.reason),
    };
  },
});

export const acceptContractRequest = messageCodec<AcceptContractRequest, Acceptance>(AcceptContractRequest, {
  maxBytes: RPC_REQUEST_BYTES,
  shape: {},
  toWire: ({ digest, accept, signature, reason }) => ({
    termsDigest: digest,
    accept,
    sig: signature,
    reason: reasonToWire(reason),
  }),
  fromWire: (wire) => ({
    digest: exactBytes(wire.termsDigest, DIGEST_BYTES, 'terms_digest'),
    accept: wire.accept,
    signature: exactOrEmpty(wire.sig, SIGNATURE_BYTES, 'sig'),
    reason: reasonOf(wire.reason),
  }),
});

export const acceptContractResponse = messageCodec<AcceptContractResponse, StateAnswer>(AcceptContractResponse, {
  maxBytes: RPC_MESSAGE_BYTES,
  shape: {},
  toWire: ({ state }) => ({ state: contractStateWords.toWire(state) }),
  fromWire: (wire) => ({ state: knownWord(contractStateWords.words, wire.state, 'state') }),
});

export const endContractRequest = messageCodec<EndContractRequest, Notice>(EndContractRequest, {
  maxBytes: RPC_REQUEST_BYTES,
  shape: {},
  toWire: ({ digest, noticeSeconds, signature }) => ({
    termsDigest: digest,
    noticeS: BigInt(noticeSeconds),
    sig: signature,
  }),
  fromWire: (wire) => ({
    digest: exactBytes(wire.termsDigest, DIGEST_BYTES, 'terms_digest'),
    noticeSeconds: wireNumber(wire.noticeS, 'notice_s'),
    signature: exactBytes(wire.sig, SIGNATURE_BYTES, 'sig'),
  }),
});

export const endContractResponse = messageCodec<EndContractResponse, StateAnswer>(EndContractResponse, {
  maxBytes: RPC_MESSAGE_BYTES,
  shape: {},
  toWire: ({ state }) => ({ state: contractStateWords.toWire(state) }),
  fromWire: (wire) => ({ state: knownWord(contractStateWords.words, wire.state, 'state') }),
});

export const getContractRequest = messageCodec<GetContractRequest, void>(GetContractRequest, {
  maxBytes: RPC_REQUEST_BYTES,
  shape: {},
  toWire: () => GetContractRequest.create(),
  fromWire: () => undefined,
});

/** Without terms there is no contract, and the other fields must be empty too. */
export const getContractResponse = messageCodec<GetContractResponse, SignedTerms | undefined>(GetContractResponse, {
  maxBytes: RPC_MESSAGE_BYTES,
  shape: {},
  toWire: (signed) =>
    signed === undefined
      ? GetContractResponse.create()
      : {
          terms: signed.terms,
          sigA: signed.proposerSignature,
          sigB: signed.acceptorSignature,
          state: contractStateWords.toWire(signed.state),
          remainingS: BigInt(signed.remainingSeconds),
        },
  fromWire: (wire) => {
    if (wire.terms.length === 0) {
      if (wire.sigA.length + wire.sigB.length > 0) throw new MalformedMessage('signatures come without terms');
      return undefined;
    }
    return {
      terms: boundedBytes(wire.terms, 1, TERMS_BYTES, 'terms'),
      proposerSignature: exactBytes(wire.sigA, SIGNATURE_BYTES, 'sig_a'),
      acceptorSignature: exactOrEmpty(wire.sigB, SIGNATURE_BYTES, 'sig_b'),
      state: knownWord(contractStateWords.words, wire.state, 'state'),
      remainingSeconds: wireNumber(wire.remainingS, 'remaining_s'),
    };
  },
});

/** A reason is shown to people on the other side, so it holds printable ASCII and nothing that a terminal obeys. */
function reasonOf(reason: string): string {
  if (reason.length > REASON_BYTES || !/^[\x20-\x7e]*$/.test(reason)) throw new MalformedMessage('reason is malformed');
  return reason;
}

function reasonToWire(reason: string): string {
  return reason.replace(/[^\x20-\x7e]/g, '?').slice(0, REASON_BYTES);
}
