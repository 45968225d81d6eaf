// Findings of `bb doctor` for local programs.

import type { DoctorUpdate, Finding } from '../../daemon/local-api.ts';
import { FindingState } from '../../gen/clirpc/v1/clirpc.ts';
import type { DoctorUpdate as DoctorMessage } from '../../gen/clirpc/v1/clirpc.ts';
import { progressMessage } from './views.ts';

const STATES: Readonly<Record<Finding['state'], FindingState>> = {
  ok: FindingState.FINDING_STATE_OK,
  warning: FindingState.FINDING_STATE_WARNING,
  damaged: FindingState.FINDING_STATE_DAMAGED,
  fixed: FindingState.FINDING_STATE_FIXED,
  'cannot-fix': FindingState.FINDING_STATE_CANNOT_FIX,
};

export function doctorMessage(update: DoctorUpdate): DoctorMessage {
  if (update.kind === 'progress') return { finding: undefined, progress: progressMessage(update.progress) };
  return { finding: { ...update.finding, state: STATES[update.finding.state] }, progress: undefined };
}
