// The composition root: everything that lives as long as the process is made here, by hand, once.

import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { packKeys } from '../core/crypto/dir-keys.ts';
import { dividedPeriods } from '../core/policy/periods.ts';
import type { Keyring } from '../core/crypto/keyring.ts';
import { Daemon } from '../daemon/daemon.ts';
import type { Deps, Network } from '../daemon/deps.ts';
import { localApiOf } from '../daemon/local-api-of.ts';
import type { PeerApi } from '../daemon/peer-api.ts';
import { prepareSocketDirectory } from '../net/socket-directory.ts';
import { tlsIdentity } from '../net/tls-identity.ts';
import { TorHost } from '../net/tor/tor-host.ts';
import type { Logger } from '../ports/logger.ts';
import { startLocalServer } from '../rpc/local/server.ts';
import { CallQuota } from '../rpc/peer/call-quota.ts';
import { peerChannels } from '../rpc/peer/channel-factory.ts';
import { GrpcPeerClient } from '../rpc/peer/client.ts';
import { callerOf, servePeers } from '../rpc/peer/injecting-server.ts';
import { peerService } from '../rpc/peer/peer-service.ts';
import { DiskDataDir } from '../storage/data-dir.ts';
import { PackCellStore } from '../storage/packs/pack-cell-store.ts';
import { metadataCodec } from '../storage/stored/metadata-codec.ts';
import { startCatalog } from '../work/catalog/catalog-proxy.ts';
import { ThreadWorkers } from '../work/thread-workers.ts';
import type { Config } from './config.ts';
import { systemClock as clock } from './system-clock.ts';
import { systemRandom as random } from './system-random.ts';
import { packageVersion } from './version.ts';

export type Running = {
  /** Settles only when something broke that the daemon cannot live with. */
  readonly broken: Promise<never>;
  close(): Promise<void>;
};

/** Starts everything; on failure nothing is left running. */
export async function compose(config: Config, log: Logger): Promise<Running> {
  const closers: (() => Promise<void>)[] = [];
  const close = async (): Promise<void> => {
    for (const closer of closers.splice(0).toReversed()) await closer();
  };
  try {
    let fail: (error: Error) => void = () => undefined;
    const broken = new Promise<never>((_, reject) => (fail = reject));
    broken.catch(() => undefined);
    const { daemon, tor } = await makeDaemon(config, log, fail, closers);
    await daemon.start();
    closers.push(() => daemon.lock());
    const server = await startLocalServer({
      socketPath: config.paths.socket,
      api: localApiOf(daemon),
      clock,
      logger: log,
      pid: process.pid,
      dataDir: config.paths.dataDir,
    });
    closers.push(() => server.close());
    await tor.start();
    return { broken, close };
  } catch (error) {
    await close();
    throw error;
  }
}

async function makeDaemon(
  config: Config,
  log: Logger,
  fail: (error: Error) => void,
  closers: (() => Promise<void>)[],
): Promise<{ readonly daemon: Daemon; readonly tor: TorHost }> {
  const { dataDir: dir } = config.paths;
  const dataDir = new DiskDataDir(dir);
  await dataDir.lock();
  closers.push(() => dataDir.close());
  const catalog = startCatalog(dir, fail);
  closers.push(() => catalog.close());
  const workers = new ThreadWorkers({ dataDir: dir, clock, onCrash: fail });
  closers.push(() => workers.close());
  const socketDir = await prepareSocketDirectory(join(dir, 'sock'), tmpdir());
  const backend = join(socketDir, 'peers');
  const tor = new TorHost({ source: torSource(config, socketDir), backend }, { clock, logger: log });
  closers.push(() => tor.close());
  const deps: Deps = {
    clock,
    random,
    log,
    catalog,
    dataDir,
    workers,
    metadata: metadataCodec,
    tor,
    periods: dividedPeriods(config.timeDivisor),
    timeDivisor: config.timeDivisor,
    version: packageVersion(),
    checkPassword,
    openPeerCells: async (wrapKey) => {
      const cells = new PackCellStore({ dir: join(dir, 'peers'), kind: 'peers', keys: packKeys(wrapKey) }, random);
      await cells.open(await catalog.marks('peers'));
      return cells;
    },
    openNetwork: (keyring, api) => openNetwork(tor, backend, log, keyring, api),
  };
  return { daemon: new Daemon(deps), tor };
}

function torSource(config: Config, socketDir: string) {
  if (config.torControl !== undefined) return { kind: 'attach', controlSocket: config.torControl } as const;
  const files = { stateDir: join(config.paths.dataDir, 'tor'), socketDir };
  return { kind: 'own', files, binary: config.torBinary, extraLines: config.torLines } as const;
}

async function openNetwork(
  tor: TorHost,
  socketPath: string,
  logger: Logger,
  keyring: Keyring,
  api: PeerApi,
): Promise<Network> {
  const identity = tlsIdentity(keyring.tlsKey(), random.bytes(16));
  const service = peerService({ api, callerOf, clock, logger, quota: new CallQuota(clock) });
  const server = await servePeers({ socketPath, identity, service }, { api, clock });
  const client = new GrpcPeerClient({ openChannel: peerChannels({ route: tor, identity, clock, random }), clock });
  return {
    client,
    close: async () => {
      await client.close();
      await server.close();
      identity.key.fill(0);
    },
  };
}

/** zxcvbn and its word lists are loaded only when somebody types a password of their own. */
async function checkPassword(password: string, account: string, allowWeak: boolean): Promise<void> {
  const { requireStrongPassword } = await import('../core/crypto/strength.ts');
  requireStrongPassword(password, [account, 'barterbackup'], allowWeak);
}
