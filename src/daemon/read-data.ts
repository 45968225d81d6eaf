// `bb doctor --read-data`: the cells of our own content and those held for peers, one finding each.

import { BbError } from '../core/errors.ts';
import { CELL_BYTES } from '../core/limits.ts';
import { finding } from './finding.ts';
import type { DoctorUpdate, Finding, ProgressView } from './local-api.ts';
import { planRepairs } from './plan-repairs.ts';
import { readHeldCells, readOwnCells } from './read-cells.ts';
import type { Reading } from './read-cells.ts';
import type { Session } from './session.ts';

type DataCheck = 'own-cells' | 'held-cells';

export async function* readData(session: Session, fix: boolean, signal: AbortSignal): AsyncGenerator<DoctorUpdate> {
  yield* counted(session, 'own-cells', fix, await readOwnCells(session), signal);
  yield* counted(session, 'held-cells', fix, await readHeldCells(session), signal);
}

async function* counted(
  session: Session,
  check: DataCheck,
  fix: boolean,
  { total, batches }: Reading,
  signal: AbortSignal,
): AsyncGenerator<DoctorUpdate> {
  let latest: ProgressView | undefined;
  const job = session.jobs.start('doctor', (progress) => (latest = progress));
  let done = 0;
  let damaged = 0;
  let outcome: 'done' | 'failed' = 'failed';
  try {
    for await (const batch of batches) {
      if (signal.aborted || session.scheduler.signal.aborted) throw new BbError('INTERRUPTED', 'reading was stopped');
      done += batch.cells;
      damaged += batch.damaged;
      if (batch.damaged > 0 && fix) await batch.heal();
      job.progress('verify', done * CELL_BYTES, total * CELL_BYTES);
      if (latest !== undefined) yield { kind: 'progress', progress: latest };
      latest = undefined;
    }
    outcome = 'done';
  } finally {
    job.end(outcome);
  }
  yield { kind: 'finding', finding: verdict(session, check, fix, done, damaged) };
}

function verdict(session: Session, check: DataCheck, fix: boolean, done: number, damaged: number): Finding {
  const whose = check === 'own-cells' ? 'your own content' : 'peers';
  if (damaged === 0) return finding(check, 'ok', `${done} cells of ${whose} were read and are good`);
  const store = check === 'own-cells' ? 'own' : 'peers';
  const { words, hint } = planRepairs(session, store, fix, 'bb doctor --read-data --fix');
  return finding(check, 'damaged', `${damaged} of ${done} cells of ${whose} are damaged; ${words}`, hint);
}
