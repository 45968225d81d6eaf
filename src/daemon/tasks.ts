// What each planned task runs: the whole background life of the daemon on one page.

import { checkWhenDue } from './check-peer.ts';
import { closeOpen } from './close-open.ts';
import { commitDirty } from './dirty.ts';
import { backup } from './backup.ts';
import { exchangeWhenDue } from './exchange-peers.ts';
import { healOwn } from './heal-own.ts';
import { mergeForks } from './merge-forks.ts';
import type { Task, TaskName } from './plan.ts';
import { askHolder, probe } from './presence.ts';
import { publish } from './publish.ts';
import { pullTask } from './pull.ts';
import { recover } from './recover.ts';
import { repairHeld } from './repair-held.ts';
import { rewriteHeld } from './rewrite-packs.ts';
import { lookAtPacks, scrub } from './scrub.ts';
import { selfDial } from './self-dial.ts';
import { prune } from './superseded.ts';
import { seekStorers } from './seek-storers.ts';
import { tick } from './tick.ts';

export const TASKS: { readonly [name in TaskName]: Task } = {
  commit: (session, _self, signal) => commitDirty(session, signal),
  prune: (session) => prune(session),
  publish,
  pull: pullTask,
  check: checkWhenDue,
  presence: probe,
  ask: askHolder,
  exchange: exchangeWhenDue,
  close: closeOpen,
  recover: (session, _self, signal) => recover(session, signal),
  merge: (session, _self, signal) => mergeForks(session, signal),
  tick: (session) => tick(session),
  selfDial: (session, _self, signal) => selfDial(session, signal),
  backup,
  seek: (session, _self, signal) => seekStorers(session, signal),
  heal: (session, _self, signal) => healOwn(session, signal),
  scrub: (session, _self, signal) => scrub(session, signal),
  packs: (session, _self, signal) => lookAtPacks(session, signal),
  repair: repairHeld,
  rewrite: (session, _self, signal) => rewriteHeld(session, signal),
};
