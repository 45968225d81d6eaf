// Changes the mode of the node by the table in core/recovery/node-mode, durably, and says so.

import { BbError } from '../core/errors.ts';
import { nextMode } from '../core/recovery/node-mode.ts';
import type { ModeEvent } from '../core/recovery/node-mode.ts';
import type { NodeMode, NodeRecord } from '../core/records.ts';
import type { Session } from './session.ts';

export async function changeMode(session: Session, event: ModeEvent, more: Partial<NodeRecord> = {}): Promise<void> {
  let before = session.node.mode;
  const change = modeChange(session, event, more);
  await session.registry.updateNode((node) => {
    if (node === undefined) throw new BbError('INTERNAL', 'the node record is gone');
    before = node.mode; // another change may have come first
    return change(node);
  });
  sayMode(session, before);
}

/** The change of the node record alone, for a transaction that does more; sayMode() after it. */
export function modeChange(
  session: Session,
  event: ModeEvent,
  more: Partial<NodeRecord>,
): (node: NodeRecord) => NodeRecord {
  return (node) => {
    const mode = nextMode(node.mode, event);
    return { ...node, ...more, mode, modeSinceMs: mode === node.mode ? node.modeSinceMs : session.deps.clock.nowMs() };
  };
}

export function sayMode(session: Session, before: NodeMode): void {
  if (session.node.mode !== before) session.bus.emit('mode-changed', { from: before, to: session.node.mode });
}
