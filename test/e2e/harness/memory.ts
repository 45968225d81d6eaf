// Peak memory of a daemon as the kernel counts it: VmHWM, the high water mark of resident pages, over all threads.

import { readFileSync, writeFileSync } from 'node:fs';

/** Puts the mark down to what is resident now (proc(5), clear_refs: 5). */
export function resetPeak(pid: number): void {
  writeFileSync(`/proc/${pid}/clear_refs`, '5');
}

/** Whole MiB, rounded up. */
export function peakMib(pid: number): number {
  return Math.ceil(residentKib(pid, 'VmHWM') / 1024);
}

/** Resident pages now (VmRSS) or at their most (VmHWM). */
export function residentKib(pid: number, what: 'VmRSS' | 'VmHWM'): number {
  const line = new RegExp(`^${what}:\\s+(\\d+) kB$`, 'm').exec(readFileSync(`/proc/${pid}/status`, 'utf8'));
  if (line === null) throw new Error(`the kernel tells no ${what}`);
  return Number(line[1]);
}
