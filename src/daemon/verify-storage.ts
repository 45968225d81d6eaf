// `bb storage verify`: one reading of every own and held cell, as a job of the daemon. Who asks while it runs joins it, and
// it goes on when nobody looks. Bad own cells are healed before it ends; bad held ones are confessed and fetched again by
// the tasks that do so for every other finder (docs/protocol.md, "Damage").

import { BbError } from '../core/errors.ts';
import type { OnionId } from '../core/ids.ts';
import { CELL_BYTES } from '../core/limits.ts';
import { splitIds } from './commit-revision.ts';
import { healOwn } from './heal-own.ts';
import type { Job } from './jobs.ts';
import type { VerifiedView, VerifyUpdate } from './local-api.ts';
import { readHeldCells, readOwnCells } from './read-cells.ts';
import type { Session } from './session.ts';
import { peerName } from './views.ts';

const KIND = 'verify';

type Counts = { cells: number; damaged: number };

/** Ends with the result; INTERRUPTED when the node is locked meanwhile. When `signal` aborts the reading goes on. */
export async function* verifyStorage(session: Session, signal: AbortSignal): AsyncGenerator<VerifyUpdate> {
  const ended = new AbortController();
  const events = session.bus.subscribe(true, AbortSignal.any([signal, ended.signal]));
  await events.next(); // from here on no event is missed
  session.verification ??= read(session).finally(() => (session.verification = undefined));
  const result = session.verification.finally(() => ended.abort());
  result.catch(() => undefined); // when nobody looks any more
  for await (const { progress, attributes } of events) {
    if (progress !== undefined && attributes['kind'] === KIND) yield { kind: 'progress', progress };
  }
  if (!signal.aborted) yield { kind: 'result', result: await result };
}

async function read(session: Session): Promise<VerifiedView> {
  const job = session.jobs.start(KIND);
  let outcome: 'done' | 'failed' = 'failed';
  try {
    const counts = await countCells(session, job);
    // What is bad of our own is known by now: what peers in reach have comes back at once.
    await healOwn(session, session.scheduler.signal);
    outcome = 'done';
    return viewOf(session, counts);
  } catch (error) {
    if (session.scheduler.signal.aborted) throw new BbError('INTERRUPTED', 'the node was locked while it read');
    throw error;
  } finally {
    job.end(outcome);
  }
}

async function countCells(session: Session, job: Job): Promise<ReadonlyMap<OnionId, Counts>> {
  const counts = new Map<OnionId, Counts>();
  const readings = [await readOwnCells(session), await readHeldCells(session)];
  const total = readings.reduce((sum, reading) => sum + reading.total, 0);
  let done = 0;
  for (const { batches } of readings) {
    for await (const { owner, cells, damaged, heal } of batches) {
      session.scheduler.signal.throwIfAborted();
      if (damaged > 0) await heal();
      const known = counts.get(owner) ?? { cells: 0, damaged: 0 };
      counts.set(owner, { cells: known.cells + cells, damaged: known.damaged + damaged });
      done += cells;
      job.progress('verify', done * CELL_BYTES, total * CELL_BYTES);
    }
  }
  return counts;
}

function viewOf(session: Session, counts: ReadonlyMap<OnionId, Counts>): VerifiedView {
  const { self, ownDamage } = session;
  const own = counts.get(self) ?? { cells: 0, damaged: 0 };
  const { isIndexLost, files, names } = ownDamage.files;
  return {
    ownCells: own.cells,
    ownDamaged: own.damaged,
    ownLost: splitIds(ownDamage.lost).length,
    isIndexLost,
    damagedFiles: files,
    damagedNames: names,
    peers: [...counts]
      .filter(([owner]) => owner !== self)
      .map(([peer, { cells, damaged }]) => ({ peer, name: peerName(session, peer), cells, damaged })),
  };
}
