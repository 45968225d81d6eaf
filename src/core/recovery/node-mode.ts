// The modes of a node (docs/protocol.md, "Lineage guard"): a node that may have lost its disk does not
// publish before it knows what its peers hold. One table: (mode, event) -> mode.

import { invariant } from '../errors.ts';
import type { NodeMode } from '../records.ts';

export type ModeEvent =
  /** An authentic id of ours above the base was found at a peer. */
  | 'newer-id-found'
  /** A content_id of ours that opens, found at a peer while nothing is known here. */
  | 'first-id-found'
  /** `init --new` after a look that found no holder. */
  | 'look-found-nobody'
  /** Everything is back and all listed contract peers answered, or the user completed it. */
  | 'completed';

const TABLE: { readonly [mode in NodeMode]: { readonly [event in ModeEvent]: NodeMode } } = {
  normal: {
    'newer-id-found': 'recovering',
    'first-id-found': 'recovering',
    'look-found-nobody': 'normal',
    completed: 'normal',
  },
  blocked: {
    'newer-id-found': 'recovering',
    'first-id-found': 'recovering',
    'look-found-nobody': 'normal',
    // There is nothing to complete before an id is known.
    completed: 'blocked',
  },
  recovering: {
    'newer-id-found': 'recovering',
    'first-id-found': 'recovering',
    // A late end of a look does not overrule an id that was found meanwhile.
    'look-found-nobody': 'recovering',
    completed: 'normal',
  },
};

/** How a data directory begins: a phrase generated just now cannot have holders, a typed secret may. */
export function initialMode(isSecretGeneratedNow: boolean): NodeMode {
  return isSecretGeneratedNow ? 'normal' : 'blocked';
}

export function nextMode(mode: NodeMode, event: ModeEvent): NodeMode {
  const next = TABLE[mode][event];
  invariant(next !== undefined, 'every mode and event has a row');
  return next;
}
