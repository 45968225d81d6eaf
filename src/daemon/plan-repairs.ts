// What becomes of damaged cells: they are healed by tasks of the running node, which are planned here.

import { splitIds } from './commit-revision.ts';
import { plan } from './plan.ts';
import type { Session } from './session.ts';

const HEALED = {
  own: 'they are fetched from peers that hold them',
  peers: 'their owners are told, and the cells are fetched again',
} as const;

export type RepairPlan = { readonly words: string; readonly hint: string };

/** `session` is undefined while the node is locked; `fix` has the packs looked at now, and `toFix` asks for that. */
export function planRepairs(
  session: Session | undefined,
  store: 'own' | 'peers',
  fix: boolean,
  toFix: string,
): RepairPlan {
  if (session === undefined) return { words: `once the node is unlocked ${HEALED[store]}`, hint: 'bb unlock' };
  const left = store === 'own' ? splitIds(session.ownDamage.lost).length : 0;
  if (fix) {
    plan(session, 'packs', 0);
    return { words: `${HEALED[store]} now`, hint: 'bb status' };
  }
  if (left > 0) {
    return { words: `they are being fetched from peers that hold them, ${left} left`, hint: 'bb status' };
  }
  return { words: `with --fix ${HEALED[store]} now`, hint: toFix };
}
