// What a recovering node has learned so far, in memory: who answered, which revisions exist, how far
// the restore is. All of it is found again after a restart, because the storers are asked again; the
// cells that came back already are durable in the workers' keeping.

import type { Metadata } from '../core/content/metadata.ts';
import type { ContentRevision } from '../core/crypto/content-id.ts';
import type { BbError } from '../core/errors.ts';
import type { OnionId } from '../core/ids.ts';
import type { RevisionRow } from '../ports/catalog.ts';
import type { RevisionReport } from '../ports/peer-client.ts';
import type { RecoverUpdate } from './local-api.ts';
import type { Contact } from './session.ts';

export type FoundId = {
  readonly contentId: Buffer;
  readonly generation: number;
  readonly sequence: number;
  readonly revision: ContentRevision;
  readonly contentBytes: number;
};

export type Holder = {
  readonly peer: OnionId;
  /** Authentic ids of ours that the peer holds in full, newest first. */
  readonly found: readonly FoundId[];
  readonly report: RevisionReport;
  /** The newest revision that it was ever offered, held or not; undefined if none that opens. */
  readonly latestKnown: ContentRevision | undefined;
  /** It gave a random INDEX cell that opens under its own key; undefined = not asked yet. */
  proved: boolean | undefined;
  /** Our session in which it was asked last. */
  readonly contact: Contact | undefined;
};

export type OpenedHead = { readonly row: RevisionRow; readonly metadata: Metadata };

/** What one call says of what it was shown. It holds as long as that call: who was told no is not obeyed later. */
export type RecoveryWord = {
  readonly isAsked: boolean;
  readonly isLossAccepted: boolean;
  /** Looks that had begun when it was given: they do not know of it. */
  readonly afterLook: number;
};

export class Recovery {
  readonly holders = new Map<OnionId, Holder>();
  /** Heads that were fetched and opened, by content id in hex. */
  readonly heads = new Map<string, OpenedHead>();
  /** Content ids in hex whose head nobody gave as it should be. */
  readonly badHeads = new Set<string>();
  /** Content ids in hex whose head a holder may have that could not be asked, and until when nobody is asked for it again. */
  readonly awayHeads = new Map<string, { readonly tries: number; readonly untilMs: number }>();
  /** Monotonic time since which a node that is said to be new can be found and looks for holders. */
  lookSinceMs: number | undefined;
  target: OpenedHead | undefined;
  phase: RecoverUpdate['phase'] = 'looking';
  waitingFor = '';
  doneCells = 0;
  totalCells = 0;
  downloadedBytes = 0;
  /** Every cell of the target came back and is kept; what is waited for is that it is known to be the newest. */
  isGathered = false;
  /** How many cells are missing and what is waited for, while only another peer or the user can help. */
  stuckOn: string | undefined;
  /** Forks, by content id in hex, of which cells are missing that nobody gives. */
  readonly stuckForks = new Set<string>();
  /** Of the calls that are followed now; the sequence that the user named is in the node record. */
  readonly words = new Set<RecoveryWord>();
  /** How many looks at everything that is known have begun. */
  looks = 0;
  /** Steps in a row that brought nothing: the next one waits the longer. */
  idleSteps = 0;
  /** The content needs a newer version: no peer can help, the user has to know. */
  incompatible: BbError | undefined;
  /** The sequence that the user named is held by nobody who answered. */
  refusal: BbError | undefined;

  /** `init complete` by the user. */
  get isAsked(): boolean {
    return [...this.words].some(({ isAsked }) => isAsked);
  }

  /** The same with `--accept-loss`. */
  get acceptLoss(): boolean {
    return [...this.words].some(({ isLossAccepted }) => isLossAccepted);
  }

  get isStuck(): boolean {
    return this.stuckOn !== undefined;
  }

  isHeadAway(contentId: Buffer, nowMs: number): boolean {
    return nowMs < (this.awayHeads.get(contentId.toString('hex'))?.untilMs ?? 0);
  }

  /** Holders of this revision, in the order in which they answered. */
  holdersOf(contentId: Buffer): Holder[] {
    return [...this.holders.values()].filter((holder) => holder.found.some((id) => id.contentId.equals(contentId)));
  }
}
