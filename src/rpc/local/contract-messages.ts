// Contracts for local programs: the list, a proposal on its way, a check on its way.

import type { TransitionRecord } from '../../core/records.ts';
import type {
  CheckUpdate,
  ContractAnswer,
  ContractView,
  OpenTermsView,
  OperationState,
  ProposeArgs,
  ProposeUpdate,
} from '../../daemon/local-api.ts';
import { OperationState as WireState } from '../../gen/clirpc/v1/clirpc.ts';
import type {
  CheckContractUpdate,
  ContractAnswer as WireAnswer,
  ContractInfo,
  ContractTransition,
  OpenTerms,
  ProposeContractRequest,
  ProposeContractUpdate,
} from '../../gen/clirpc/v1/clirpc.ts';
import { wireNumber } from '../wire-checks.ts';
import { peerReference } from './peer-messages.ts';
import { peerMessage, replicaMessage } from './views.ts';

const STATES: Readonly<Record<OperationState, WireState>> = {
  NOT_STARTED: WireState.OPERATION_STATE_NOT_STARTED,
  CONNECTING_TO_PEER: WireState.OPERATION_STATE_CONNECTING_TO_PEER,
  PROPOSING_CONTRACT: WireState.OPERATION_STATE_PROPOSING_CONTRACT,
  PEER_REFUSED: WireState.OPERATION_STATE_PEER_REFUSED,
  SYNCING_CONTENTS: WireState.OPERATION_STATE_SYNCING_CONTENTS,
  CHECKING_CONTENTS: WireState.OPERATION_STATE_CHECKING_CONTENTS,
  OUR_CONTENT_REVISION_MISSING: WireState.OPERATION_STATE_OUR_CONTENT_REVISION_MISSING,
  INVALID_CONTENT_RETURNED: WireState.OPERATION_STATE_INVALID_CONTENT_RETURNED,
  COMPLETED: WireState.OPERATION_STATE_COMPLETED,
  PENDING_PERSON: WireState.OPERATION_STATE_PENDING_PERSON,
};

export function proposeArgs(request: ProposeContractRequest): ProposeArgs {
  return {
    peer: peerReference(request.peer),
    giveBytes: wireNumber(request.giveBytes, 'give_bytes'),
    getBytes: wireNumber(request.getBytes, 'get_bytes'),
    durationSeconds: wireNumber(request.durationSeconds, 'duration_seconds'),
    holdSeconds: wireNumber(request.holdSeconds, 'hold_seconds'),
    amend: request.amend,
  };
}

export function contractMessage(contract: ContractView): ContractInfo {
  return {
    peer: peerMessage(contract.peer, contract.name),
    ourContentSynced: contract.synced,
    ourRemainingSeconds: BigInt(contract.ourRemainingSeconds),
    theirRemainingSeconds: BigInt(contract.theirRemainingSeconds),
    theirContentLength: BigInt(contract.theirContentBytes),
    online: contract.online,
    state: contract.state,
    explanation: contract.explanation,
    giveBytes: BigInt(contract.giveBytes),
    getBytes: BigInt(contract.getBytes),
    durationSeconds: BigInt(contract.durationSeconds),
    holdSeconds: BigInt(contract.holdSeconds),
    checkPeriodSeconds: BigInt(contract.checkPeriodSeconds),
    noticeSeconds: BigInt(contract.noticeSeconds),
    replica: replicaMessage(contract.replica),
    termsVersion: contract.termsVersion,
    proposedByUs: contract.proposedByUs,
    pullingBytes: BigInt(contract.pullingBytes),
    open: contract.open && openMessage(contract.open),
    endedBy: contract.endedBy,
    noticeUnanswered: contract.noticeUnanswered,
    transitions: contract.transitions.map(transitionMessage),
  };
}

function openMessage(open: OpenTermsView): OpenTerms {
  return {
    proposedByUs: open.proposedByUs,
    waitsForUs: open.waitsForUs,
    giveBytes: BigInt(open.giveBytes),
    getBytes: BigInt(open.getBytes),
    durationSeconds: BigInt(open.durationSeconds),
    holdSeconds: BigInt(open.holdSeconds),
    sinceMs: BigInt(open.sinceMs),
  };
}

function transitionMessage(step: TransitionRecord): ContractTransition {
  const { from, to, event, reason } = step;
  return { from, to, event, reason, atMs: BigInt(step.atMs), remainingSeconds: BigInt(step.remainingSeconds) };
}

export function answerMessage({ contract, told }: ContractAnswer): WireAnswer {
  return { contract: contractMessage(contract), told };
}

export function proposeMessage(update: ProposeUpdate): ProposeContractUpdate {
  return {
    state: STATES[update.state],
    success: update.success,
    theirContentLength: BigInt(update.contract?.theirContentBytes ?? 0),
    theirContentDownloadedBytes: 0n,
    ourContentLength: 0n,
    ourContentUploadedBytes: 0n,
    reason: update.reason,
    contract: update.contract && contractMessage(update.contract),
  };
}

export function checkMessage(update: CheckUpdate): CheckContractUpdate {
  return {
    state: STATES[update.state],
    success: update.success,
    ourContentLength: BigInt(update.contentBytes),
    ourContentSectionOffset: BigInt(update.sectionOffset),
    ourContentSectionLength: BigInt(update.sectionBytes),
    outcome: update.outcome,
    blocks: update.blocks,
    cells: update.cells,
    newest: update.newest,
  };
}
