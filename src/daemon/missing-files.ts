// Files that a recovery or a merge could not bring back: their number and the first of their names, remembered and shown
// until they are set again or the user gives them up.

import { MISSING_NAMES } from '../core/limits.ts';
import type { NodeRecord } from '../core/records.ts';
import type { Session } from './session.ts';

export type Missing = Pick<NodeRecord, 'missingFiles' | 'missingNames'>;

export const NONE_MISSING: Missing = { missingFiles: 0, missingNames: [] };

/** `names`: as many of the missing files as have one that is known. */
export function withMissing(before: Missing, files: number, names: readonly Buffer[]): Missing {
  return {
    missingFiles: before.missingFiles + files,
    missingNames: [...before.missingNames, ...names].slice(0, MISSING_NAMES),
  };
}

/** The user lives with it. */
export async function giveUpMissing(session: Session): Promise<void> {
  if (session.node.missingFiles === 0) return;
  await session.registry.updateNode(() => ({ ...session.node, ...NONE_MISSING }));
}

/** After a change of files: what has its name again is missing no more. */
export async function noteSetAgain(session: Session): Promise<void> {
  const { missingNames } = session.node;
  if (missingNames.length === 0) return;
  const still: Buffer[] = [];
  for (const name of missingNames) if (!(await isSet(session, name))) still.push(name);
  const found = missingNames.length - still.length;
  if (found === 0) return;
  await session.registry.updateNode(() => ({
    ...session.node,
    missingFiles: Math.max(still.length, session.node.missingFiles - found),
    missingNames: still,
  }));
}

async function isSet({ newest, deps }: Session, name: Buffer): Promise<boolean> {
  if (newest === undefined) return false;
  for await (const batch of deps.workers.list(newest.row, name)) if (batch.length > 0) return true;
  return false;
}
