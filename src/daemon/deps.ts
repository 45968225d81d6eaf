// Everything the use cases need from outside, built once by `app/compose`. The daemon cannot tell
// whether these run on Tor and a disk or in a simulation.

import type { Periods } from '../core/policy/periods.ts';
import type { Catalog } from '../ports/catalog.ts';
import type { CellStore } from '../ports/cell-store.ts';
import type { Clock } from '../ports/clock.ts';
import type { DataDir } from '../ports/data-dir.ts';
import type { Logger } from '../ports/logger.ts';
import type { MetadataCodec } from '../ports/metadata-codec.ts';
import type { OnionHost } from '../ports/onion-host.ts';
import type { PeerClient } from '../ports/peer-client.ts';
import type { Random } from '../ports/random.ts';
import type { Workers } from '../ports/workers.ts';
import type { Keyring } from '../core/crypto/keyring.ts';
import type { PeerApi } from './peer-api.ts';

export type Deps = {
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  readonly catalog: Catalog;
  readonly dataDir: DataDir;
  readonly workers: Workers;
  readonly metadata: MetadataCodec;
  readonly tor: OnionHost;
  readonly periods: Periods;
  readonly timeDivisor: number;
  readonly version: string;
  /** Strength gate of password mode; loaded only when a password is set. Throws WEAK_PASSWORD. */
  checkPassword(password: string, account: string, allowWeak: boolean): Promise<void>;
  /** Opens the store of other people's cells with the unwrapped directory key. */
  openPeerCells(wrapKey: Buffer): Promise<CellStore>;
  /** Goes on the network under this identity: listens for peers and gives the client to dial them. */
  openNetwork(keyring: Keyring, api: PeerApi): Promise<Network>;
};

export type Network = {
  readonly client: PeerClient;
  close(): Promise<void>;
};
