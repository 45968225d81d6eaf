// Tor as the daemon sees it: publish our onion service, tell how far Tor is. Dialling peers is
// the business of PeerClient. Without Tor nothing here ever falls back to a direct connection.

import type { OnionId } from '../core/ids.ts';

export type TorPhase = 'absent' | 'starting' | 'bootstrapping' | 'ready' | 'down';

export type TorState = {
  readonly phase: TorPhase;
  /** Bootstrap progress, 0 to 100. */
  readonly percent: number;
  /** What Tor is doing, in words for people. */
  readonly words: string;
  readonly version: string | undefined;
  /** True while a descriptor of our service is known to be uploaded. */
  readonly published: boolean;
};

export interface OnionHost {
  /** Starts or attaches to tor in the background; progress comes by `onState`. Never rejects for a missing tor: state says `absent`. */
  start(): Promise<void>;
  state(): TorState;
  onState(listener: (state: TorState) => void): () => void;
  /**
   * Publishes the service of this expanded key (base64, 64 bytes) and keeps it published: it is added again after
   * tor or the control connection died. Resolves when it is wanted, not when it is up: `state().published` tells.
   */
  publish(expandedKey: string, id: OnionId): Promise<void>;
  unpublish(): Promise<void>;
  close(): Promise<void>;
}
