// GetContentRevision and SetContentRevision on the wire (docs/protocol.md, "Methods").

import { BLOB_CELLS, CELL_BYTES, OLDER_REVISIONS, RPC_MESSAGE_BYTES, RPC_REQUEST_BYTES } from '../../core/limits.ts';
import {
  GetContentRevisionRequest,
  GetContentRevisionResponse,
  OfferOutcome as WireOutcome,
  PullState as WirePull,
  SetContentRevisionRequest,
  SetContentRevisionResponse,
} from '../../gen/bbrpc/v1/bbrpc.ts';
import type { ContentInfo as WireContentInfo } from '../../gen/bbrpc/v1/bbrpc.ts';
import type { ContentInfo, Offer, OfferOutcome, PullState, RevisionReport } from '../../ports/peer-client.ts';
import { messageCodec } from '../message-codec.ts';
import { enumWords } from '../enum-words.ts';
import {
  atMost,
  exactBytes,
  exactOrEmpty,
  inRange,
  knownWord,
  MalformedMessage,
  wholeCells,
  wireNumber,
} from '../wire-checks.ts';
import { contractStateWords } from './contract-state.ts';

export const CONTENT_ID_BYTES = 64;
const ROOT_BYTES = 32;

const pullWords = enumWords<PullState, WirePull>({
  NONE: WirePull.PULL_STATE_UNSPECIFIED,
  PULLING: WirePull.PULL_STATE_PULLING,
  QUOTA: WirePull.PULL_STATE_QUOTA,
  NO_SPACE: WirePull.PULL_STATE_NO_SPACE,
});

const outcomeWords = enumWords<OfferOutcome, WireOutcome>({
  ACCEPTED_PULLING: WireOutcome.OFFER_OUTCOME_ACCEPTED_PULLING,
  REFUSED: WireOutcome.OFFER_OUTCOME_REFUSED,
  QUOTA: WireOutcome.OFFER_OUTCOME_QUOTA,
  NO_SPACE: WireOutcome.OFFER_OUTCOME_NO_SPACE,
  CAS_MISMATCH: WireOutcome.OFFER_OUTCOME_CAS_MISMATCH,
});

export type OfferAnswer = { readonly outcome: OfferOutcome; readonly latestKnown: Buffer };

export const getContentRevisionRequest = messageCodec<GetContentRevisionRequest, Buffer>(GetContentRevisionRequest, {
  maxBytes: RPC_REQUEST_BYTES,
  shape: {},
  toWire: (held) => ({ held }),
  fromWire: (wire) => exactOrEmpty(wire.held, CONTENT_ID_BYTES, 'held'),
});

export const getContentRevisionResponse = messageCodec<GetContentRevisionResponse, RevisionReport>(
  GetContentRevisionResponse,
  {
    maxBytes: RPC_MESSAGE_BYTES,
    shape: { 1: {}, 3: {}, 5: {} },
    toWire: (report) => ({
      requesterContent: report.requesterContent && infoToWire(report.requesterContent),
      requesterRemainingSeconds: BigInt(report.requesterRemainingSeconds),
      responderContent: report.responderContent && infoToWire(report.responderContent),
      requesterLatestKnown: report.requesterLatestKnown,
      requesterOlder: report.requesterOlder.slice(0, OLDER_REVISIONS).map(infoToWire),
      contractState: contractStateWords.toWire(report.contractState),
      responderRecovering: report.responderRecovering,
      requesterPull: pullWords.toWire(report.requesterPull),
    }),
    fromWire: (wire) => ({
      requesterContent: wire.requesterContent && infoOrEmpty(wire.requesterContent),
      requesterRemainingSeconds: wireNumber(wire.requesterRemainingSeconds, 'requester_remaining_seconds'),
      responderContent: wire.responderContent && infoOrEmpty(wire.responderContent),
      requesterLatestKnown: exactOrEmpty(wire.requesterLatestKnown, CONTENT_ID_BYTES, 'requester_latest_known'),
      requesterOlder: atMost(wire.requesterOlder, OLDER_REVISIONS, 'requester_older').map(infoOf),
      contractState: knownWord(contractStateWords.words, wire.contractState, 'contract_state'),
      responderRecovering: wire.responderRecovering,
      requesterPull: knownWord(pullWords.words, wire.requesterPull, 'requester_pull'),
    }),
  },
);

export const setContentRevisionRequest = messageCodec<SetContentRevisionRequest, Offer>(SetContentRevisionRequest, {
  maxBytes: RPC_REQUEST_BYTES,
  shape: { 1: {} },
  toWire: (offer) => ({
    requesterContent: offer.content && infoToWire(offer.content),
    previousContentId: offer.previousContentId,
    delete: offer.delete,
    newCells: offer.newCells,
  }),
  fromWire: (wire) => {
    // A missing content must never be read as "delete": a fresh node would wipe the only copies.
    if (wire.delete !== (wire.requesterContent === undefined)) {
      throw new MalformedMessage('an offer has either a content or the word delete');
    }
    return {
      content: wire.requesterContent && infoOf(wire.requesterContent),
      previousContentId: exactOrEmpty(wire.previousContentId, CONTENT_ID_BYTES, 'previous_content_id'),
      delete: wire.delete,
      newCells: inRange(wire.newCells, 0, BLOB_CELLS, 'new_cells'),
    };
  },
});

export const setContentRevisionResponse = messageCodec<SetContentRevisionResponse, OfferAnswer>(
  SetContentRevisionResponse,
  {
    maxBytes: RPC_MESSAGE_BYTES,
    shape: {},
    toWire: (answer) => ({ outcome: outcomeWords.toWire(answer.outcome), latestKnown: answer.latestKnown }),
    fromWire: (wire) => ({
      outcome: knownWord(outcomeWords.words, wire.outcome, 'outcome'),
      latestKnown: exactOrEmpty(wire.latestKnown, CONTENT_ID_BYTES, 'latest_known'),
    }),
  },
);

function infoToWire(info: ContentInfo): WireContentInfo {
  return { contentId: info.contentId, contentLength: BigInt(info.contentBytes), sha256: info.root };
}

/** A content: id, root, and at least one cell. */
function infoOf(wire: WireContentInfo): ContentInfo {
  const contentBytes = wholeCells(wire.contentLength, 'content_length', BLOB_CELLS);
  if (contentBytes < CELL_BYTES) throw new MalformedMessage('content_length is out of range');
  return {
    contentId: exactBytes(wire.contentId, CONTENT_ID_BYTES, 'content_id'),
    contentBytes,
    root: exactBytes(wire.sha256, ROOT_BYTES, 'sha256'),
  };
}

/** The same, or the word "there is no content": everything empty. */
function infoOrEmpty(wire: WireContentInfo): ContentInfo {
  if (wire.contentId.length > 0) return infoOf(wire);
  if (wire.contentLength !== 0n || wire.sha256.length > 0) throw new MalformedMessage('an empty content has a length');
  return { contentId: wire.contentId, contentBytes: 0, root: wire.sha256 };
}
