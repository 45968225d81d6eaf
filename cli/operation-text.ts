// The steps of a call about a contract, as a word for --json and as a sentence for people.

import { OperationState } from '../src/gen/clirpc/v1/clirpc.ts';

const NOTES: Readonly<Record<OperationState, readonly [word: string, sentence: string]>> = {
  [OperationState.OPERATION_STATE_NOT_STARTED]: ['not_started', 'Starting'],
  [OperationState.OPERATION_STATE_CONNECTING_TO_PEER]: ['connecting', 'Reaching the peer over Tor'],
  [OperationState.OPERATION_STATE_PROPOSING_CONTRACT]: ['proposing', 'Offering the terms'],
  [OperationState.OPERATION_STATE_PEER_REFUSED]: ['refused', 'The peer refused'],
  [OperationState.OPERATION_STATE_SYNCING_CONTENTS]: ['syncing', 'Content is being pulled'],
  [OperationState.OPERATION_STATE_CHECKING_CONTENTS]: ['checking', 'The peer proves what it holds'],
  [OperationState.OPERATION_STATE_OUR_CONTENT_REVISION_MISSING]: ['missing', 'The newest revision is not there'],
  [OperationState.OPERATION_STATE_INVALID_CONTENT_RETURNED]: ['invalid', 'The proof was wrong'],
  [OperationState.OPERATION_STATE_COMPLETED]: ['completed', 'Done'],
  [OperationState.OPERATION_STATE_PENDING_PERSON]: ['pending', 'A person at the other side decides'],
  [OperationState.UNRECOGNIZED]: ['unknown', 'Unknown step'],
};

export function operationWord(state: OperationState): string {
  return (NOTES[state] ?? NOTES[OperationState.UNRECOGNIZED])[0];
}

export function operationNote(state: OperationState): string {
  return (NOTES[state] ?? NOTES[OperationState.UNRECOGNIZED])[1];
}
