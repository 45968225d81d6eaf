// How far a job is, as one shape for every job. On a terminal one line is rewritten; in a file a line appears for each new
// phase; with --json each step is one NDJSON line on stdout.

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

/** "read 1.2 GiB of 8.1 GiB (14 %), 41.0 MiB/s, 3 min left". */
export function progressText(progress: Progress): string {
  const amount = (value: bigint): string => (BYTE_PHASES.has(progress.phase) ? formatBytes(value) : value.toString());
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
