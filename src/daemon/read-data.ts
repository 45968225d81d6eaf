// Reads every cell that must be here, our own and those held for peers, and verifies it. One cell at a time: memory does
// not grow, and the node goes on with its work beside it.

import { blobCellCount } from '../core/challenge/plan.ts';
import { HASH_BYTES, leafHash } from '../core/content/merkle.ts';
import { equalBytes } from '../core/crypto/compare.ts';
import { BbError, isBbError } from '../core/errors.ts';
import { CELL_BYTES, LEAVES_PER_READ } from '../core/limits.ts';
import type { HeldRecord } from '../core/records.ts';
import type { CellPosition } from '../ports/cell-store.ts';
import { finding } from './finding.ts';
import { suspectBlobCells } from './heal-own.ts';
import { noteHeldDamage } from './held-damage.ts';
import type { DoctorUpdate, Finding } from './local-api.ts';
import { planRepairs } from './plan-repairs.ts';
import type { Session } from './session.ts';

export async function* readData(session: Session, fix: boolean, signal: AbortSignal): AsyncGenerator<DoctorUpdate> {
  yield* counted(session, 'own-cells', fix, ownCells(session), signal);
  yield* counted(session, 'held-cells', fix, heldCells(session), signal);
}

type Cell = { readonly isGood: boolean; readonly heal: () => Promise<void> };
type Read = { readonly total: number; readonly cells: AsyncGenerator<Cell> };

async function* counted(
  session: Session,
  check: 'own-cells' | 'held-cells',
  fix: boolean,
  { total, cells }: Read,
  signal: AbortSignal,
): AsyncGenerator<DoctorUpdate> {
  const job = session.jobs.start('doctor');
  let done = 0;
  let damaged = 0;
  let outcome: 'done' | 'failed' = 'failed';
  try {
    for await (const cell of untilDropped(cells)) {
      if (signal.aborted || session.scheduler.signal.aborted) throw new BbError('INTERRUPTED', 'reading was stopped');
      done++;
      if (!cell.isGood) damaged++;
      if (!cell.isGood && fix) await cell.heal();
      job.progress('verify', done * CELL_BYTES, total * CELL_BYTES);
      if (done % LEAVES_PER_READ === 0) yield { kind: 'progress', progress: job.view() };
    }
    outcome = 'done';
  } finally {
    job.end(outcome);
  }
  yield { kind: 'finding', finding: verdict(session, check, fix, done, damaged) };
}

function verdict(
  session: Session,
  check: 'own-cells' | 'held-cells',
  fix: boolean,
  done: number,
  damaged: number,
): Finding {
  const whose = check === 'own-cells' ? 'your own content' : 'peers';
  if (damaged === 0) return finding(check, 'ok', `${done} cells of ${whose} were read and are good`);
  const plan = planRepairs(session, check === 'own-cells' ? 'own' : 'peers', fix);
  return finding(check, 'damaged', `${damaged} of ${done} cells of ${whose} are damaged; ${plan}`, 'bb status');
}

function ownCells(session: Session): Read {
  const { newest, deps, self } = session;
  if (newest === undefined) return { total: 0, cells: none() };
  const { contentId } = newest.row;
  const total = blobCellCount(newest.row);
  const read = async function* (): AsyncGenerator<Cell> {
    for (let cell = 0; cell < total; cell++) {
      const isGood = (await deps.workers.sealCell(self, contentId, cell)) !== undefined;
      yield { isGood, heal: () => suspectBlobCells(session, contentId, [cell]) };
    }
  };
  return { total, cells: read() };
}

/** What is superseded while it is read needs no reading any more. */
async function* untilDropped(cells: AsyncGenerator<Cell>): AsyncGenerator<Cell> {
  try {
    yield* cells;
  } catch (error) {
    if (!isBbError(error, 'NOT_FOUND')) throw error;
  }
}

async function* none(): AsyncGenerator<Cell> {}

function heldCells(session: Session): Read {
  const held = session.registry.held().filter(({ value }) => value.role !== 'pulling' && value.list >= 0);
  const read = async function* (): AsyncGenerator<Cell> {
    for (const { value } of held) yield* untilDropped(listCells(session, value));
  };
  return { total: held.reduce((sum, { value }) => sum + value.cells, 0), cells: read() };
}

async function* listCells(session: Session, { list, cells: total }: HeldRecord): AsyncGenerator<Cell> {
  const { catalog } = session.deps;
  for (let from = 0; from < total; from += LEAVES_PER_READ) {
    const count = Math.min(LEAVES_PER_READ, total - from);
    const leaves = await catalog.heldLeaves(list, from, count);
    for (const [index, position] of (await catalog.heldPositions(list, from, count)).entries()) {
      const leaf = leaves.subarray(index * HASH_BYTES, (index + 1) * HASH_BYTES);
      const isGood = position !== undefined && (await isWhole(session.cells, position, leaf));
      yield { isGood, heal: () => noteHeldDamage(session, list, [from + index]) };
    }
  }
}

async function isWhole(cells: Session['cells'], position: CellPosition, leaf: Buffer): Promise<boolean> {
  try {
    return equalBytes(leafHash(await cells.read(position)), leaf);
  } catch (error) {
    if (error instanceof BbError && error.code === 'INTEGRITY') return false;
    throw error;
  }
}
