// Opening a content_id that somebody says is ours.

import type { ContentRevision } from '../core/crypto/content-id.ts';
import { BbError, isBbError } from '../core/errors.ts';
import type { Session } from './session.ts';

/** Like keyring.openContentId, but an authentic id of a later format counts as not ours to judge. */
export function openOwnId(session: Session, contentId: Buffer): ContentRevision | undefined {
  try {
    return session.keyring.openContentId(contentId);
  } catch (error) {
    if (isBbError(error, 'INCOMPATIBLE')) session.laterFormat = true;
    if (error instanceof BbError) return undefined;
    throw error;
  }
}
