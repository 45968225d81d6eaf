// How far a job is, as one shape for every job. On a terminal one line is rewritten; in a file a line appears for each new
// phase and each further quarter of it; with --json each step is one NDJSON line on stdout.

import { formatBytes } from '../src/core/format-bytes.ts';
import type { Progress } from '../src/gen/clirpc/v1/clirpc.ts';
import { formatSeconds } from './format.ts';

/** Phases that count bytes; all others count things. */
const BYTE_PHASES = new Set([
  'read',
  'seal',
  'pull',
  'index',
  'verify',
  'data',
  'comparing',
  'committing',
  'restored',
  'complete',
]);

export type ProgressJson = {
  readonly t: 'progress';
  readonly job: string;
  readonly phase: string;
  readonly done: number;
  readonly total: number;
  readonly bytesPerSec: number;
  readonly etaSec: number;
};

export function progressJson(progress: Progress): ProgressJson {
  return {
    t: 'progress',
    job: progress.job,
    phase: progress.phase,
    done: Number(progress.done),
    total: Number(progress.total),
    bytesPerSec: Number(progress.bytesPerSec),
    etaSec: Number(progress.etaSec),
  };
}

/** Quarters of the phase that are done. */
export function quartersDone({ done, total }: Progress): number {
  return total > 0n ? Number((done * 4n) / total) : 0;
}

/** The line of a phase that has done nothing yet: "read: 8.1 GiB in all". */
export function phaseText(progress: Progress): string {
  const { phase, total } = progress;
  return total > 0n ? `${phase}: ${amountText(phase, total)} in all` : phase;
}

function amountText(phase: string, value: bigint): string {
  return BYTE_PHASES.has(phase) ? formatBytes(value) : value.toString();
}

/** "read 1.2 GiB of 8.1 GiB (14 %), 41.0 MiB/s, 3 min left". */
export function progressText(progress: Progress): string {
  const amount = (value: bigint): string => amountText(progress.phase, value);
  const parts = [progress.phase];
  if (progress.total > 0n) {
    const percent = Number((progress.done * 100n) / progress.total);
    parts.push(`${amount(progress.done)} of ${amount(progress.total)} (${percent} %)`);
  } else if (progress.done > 0n) {
    parts.push(amount(progress.done));
  }
  let text = parts.join(' ');
  if (progress.bytesPerSec > 0n && BYTE_PHASES.has(progress.phase)) text += `, ${formatBytes(progress.bytesPerSec)}/s`;
  if (progress.etaSec > 0n) text += `, ${formatSeconds(progress.etaSec)} left`;
  return text;
}
