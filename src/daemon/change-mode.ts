// Changes the mode of the node by the table in core/recovery/node-mode, durably, and says so.

import { BbError } from '../core/errors.ts';
import { nextMode } from '../core/recovery/node-mode.ts';
import type { ModeEvent } from '../core/recovery/node-mode.ts';
import type { NodeRecord } from '../core/records.ts';
import type { Session } from './session.ts';

export async function changeMode(session: Session, event: ModeEvent, more: Partial<NodeRecord> = {}): Promise<void> {
  const before = session.node.mode;
  await session.registry.updateNode((node) => {
    if (node === undefined) throw new BbError('INTERNAL', 'the node record is gone');
    const mode = nextMode(node.mode, event);
    return { ...node, ...more, mode, modeSinceMs: mode === node.mode ? node.modeSinceMs : session.deps.clock.nowMs() };
  });
  if (session.node.mode !== before) session.bus.emit('mode-changed', { from: before, to: session.node.mode });
}
