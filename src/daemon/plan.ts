// Plans background work by name. Use cases plan each other's work through this table of names alone, so
// that they do not import each other in circles; `tasks.ts` says what each name runs.

import type { OnionId } from '../core/ids.ts';
import type { TaskClass } from './scheduler.ts';
import type { Session } from './session.ts';

/** Task -> class of the scheduler. A task about a peer is planned once per peer. */
export const TASK_CLASSES = {
  commit: 'commit',
  prune: 'prune',
  publish: 'publish',
  pull: 'pull',
  check: 'check',
  presence: 'presence',
  close: 'presence',
  ask: 'presence',
  exchange: 'presence',
  recover: 'recovery',
  merge: 'recovery',
  tick: 'tick',
  selfDial: 'dial',
  backup: 'backup',
  seek: 'seek',
  heal: 'heal',
  scrub: 'scrub',
  packs: 'scrub',
  rewrite: 'rewrite',
  repair: 'repair',
} as const satisfies Record<string, TaskClass>;

export type TaskName = keyof typeof TASK_CLASSES;
export type Task = (session: Session, peer: OnionId, signal: AbortSignal) => Promise<void>;

/** Plans a task about the whole node. */
export function plan(session: Session, task: TaskName, delayMs: number): void {
  planFor(session, task, session.self, delayMs);
}

/** Plans a task about one peer; planned twice, it runs once, at the earlier time. */
export function planFor(session: Session, task: TaskName, peer: OnionId, delayMs: number): void {
  session.scheduler.plan(TASK_CLASSES[task], `${task}:${peer}`, delayMs, (signal) =>
    session.tasks[task](session, peer, signal),
  );
}

/** It is planned, whenever, or runs. */
export function isPlanned(session: Session, task: TaskName, peer: OnionId): boolean {
  return session.scheduler.isPlanned(`${task}:${peer}`);
}

/** The newest revision, or a change of peers, concerns every contract peer. */
export function planPublishAll(session: Session, delayMs: number): void {
  for (const contract of session.registry.contracts()) planFor(session, 'publish', contract.peer, delayMs);
}

/** Peers whose presence matters: added by the user or under contract. */
export function planPresenceAll(session: Session): void {
  for (const { onionId, added } of session.registry.peers()) {
    const contract = session.registry.contract(onionId);
    if (added || (contract !== undefined && contract.state !== 'RELEASED')) planFor(session, 'presence', onionId, 0);
  }
}
