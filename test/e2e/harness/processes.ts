// Finds and ends the processes of one test run. bbd and its tor are started in the background by bb, so they are no
// children of the test; each names a folder of the run in its command line, and that is how they are known.

import { readdirSync, readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';

export type FoundProcess = { readonly pid: number; readonly command: string };

const GONE_WITHIN_MS = 60_000;
const LOOK_EVERY_MS = 20;

/** Every live process, this one apart, with `dir` in one of its arguments. */
export function processesOf(dir: string): FoundProcess[] {
  const found: FoundProcess[] = [];
  for (const name of readdirSync('/proc')) {
    const pid = Number(name);
    if (!Number.isInteger(pid) || pid === process.pid) continue;
    const command = commandOf(pid);
    const isOurs = command.some((word) => word === dir || word.includes(`${dir}/`));
    if (isOurs) found.push({ pid, command: command.join(' ') });
  }
  return found;
}

/** The daemon of a data directory: the process that was started with it, be it below `sh` or not. */
export function daemonOf(dataDir: string): FoundProcess | undefined {
  return processesOf(dataDir).find(({ command }) => command.includes('bbd.cjs'));
}

/** The tor that a daemon has started for itself. */
export function torOf(dataDir: string): FoundProcess | undefined {
  return processesOf(dataDir).find(({ command }) => command.includes(`${dataDir}/tor/torrc`));
}

/** Empty for a process that has ended, zombies included. */
function commandOf(pid: number): string[] {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0').slice(0, -1);
  } catch {
    return [];
  }
}

export function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}

/** Waits until no process of `dir` is left; false when one stays. The end of a process that is no child has no event. */
export async function allGone(dir: string, withinMs = GONE_WITHIN_MS): Promise<boolean> {
  const deadlineMs = performance.now() + withinMs;
  while (processesOf(dir).length > 0) {
    if (performance.now() > deadlineMs) return false;
    await sleep(LOOK_EVERY_MS);
  }
  return true;
}
