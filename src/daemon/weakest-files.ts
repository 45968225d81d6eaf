// The files with the fewest proved copies: after a change they are the new and changed ones, until the storers have proved
// the revision that has them. Asked for by the status, and worked out anew only when what is proved has changed.

import { copyOf } from '../core/contract/copy.ts';
import { isBbError } from '../core/errors.ts';
import { copiesOfCells, isEven } from '../core/policy/weakest.ts';
import type { RevisionRow } from '../ports/catalog.ts';
import type { WeakestFiles } from '../ports/workers.ts';
import { copyFacts } from './copies.ts';
import type { Session } from './session.ts';

export class Weakest {
  #of = '';
  #found: Promise<WeakestFiles | undefined> = Promise.resolve(undefined);

  /** `of` names all that the answer depends on. Without an answer the next one who asks tries again: damage is healed. */
  async get(of: string, find: () => Promise<WeakestFiles | undefined>): Promise<WeakestFiles | undefined> {
    if (of !== this.#of) {
      this.#of = of;
      this.#found = find();
    }
    const asked = this.#found;
    let answer: WeakestFiles | undefined;
    try {
      answer = await asked;
      return answer;
    } finally {
      if (answer === undefined && asked === this.#found) this.#of = '';
    }
  }
}

/** Undefined while nothing is set, or while our own index cannot be read. */
export async function weakestFiles(session: Session): Promise<WeakestFiles | undefined> {
  const row = session.newest?.row;
  if (session.node.mode !== 'normal' || row === undefined || row.fileCount === 0) return undefined;
  const proved = session.registry
    .contracts()
    .map((contract) => copyFacts(session, contract))
    .filter((copy) => copy.sinceStart && copyOf(copy, row.contentId) !== 'none')
    .map((copy) => copy.proved);
  const of = [row.contentId, ...proved].map((id) => id.toString('base64')).join(' ');
  return session.weakest.get(of, () => findWeakest(session, row, proved));
}

async function findWeakest(
  session: Session,
  row: RevisionRow,
  proved: readonly Buffer[],
): Promise<WeakestFiles | undefined> {
  const { catalog, workers } = session.deps;
  try {
    const parts = await Promise.all(
      proved.map(async (id) => (id.equals(row.contentId) ? 'all' : partOf(session, row.contentId, id))),
    );
    const copies = copiesOfCells(row.headCells + row.indexCells, row.dataCells, parts);
    const least = parts.filter((part) => part === 'all').length;
    if (isEven(copies)) return { copies: copies[0] ?? least, files: row.fileCount, names: [] };
    return await workers.weakestFiles(row, copies);
  } catch (error) {
    // Damage is healed and named elsewhere; a revision that was superseded meanwhile is asked about no more.
    if (isBbError(error, 'INTEGRITY') || (await catalog.revision(row.contentId)) === undefined) return undefined;
    throw error;
  }
}

/** Of a revision whose list is gone nothing is known, so nothing counts: the next check may forget it at any moment. */
async function partOf(
  session: Session,
  newest: Buffer,
  id: Buffer,
): ReturnType<Session['deps']['catalog']['commonRuns']> {
  const { catalog } = session.deps;
  try {
    return await catalog.commonRuns(newest, id);
  } catch (error) {
    if ((await catalog.revision(id)) === undefined) return [];
    throw error;
  }
}
