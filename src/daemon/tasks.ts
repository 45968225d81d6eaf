// What each planned task runs: the whole background life of the daemon on one page.

import { checkWhenDue } from './check-peer.ts';
import { closeProposal } from './contracts.ts';
import { commitDirty } from './dirty.ts';
import { backup } from './backup.ts';
import type { Task, TaskName } from './plan.ts';
import { askHolder, probe } from './presence.ts';
import { publish } from './publish.ts';
import { pullTask } from './pull.ts';
import { recover } from './recover.ts';
import { selfDial } from './self-dial.ts';
import { prune } from './superseded.ts';
import { tick } from './tick.ts';

export const TASKS: { readonly [name in TaskName]: Task } = {
  commit: (session, _self, signal) => commitDirty(session, signal),
  prune: (session) => prune(session),
  publish,
  pull: pullTask,
  check: checkWhenDue,
  presence: probe,
  ask: askHolder,
  close: closeProposal,
  recover: (session, _self, signal) => recover(session, signal),
  tick: (session) => tick(session),
  selfDial: (session, _self, signal) => selfDial(session, signal),
  backup,
};
