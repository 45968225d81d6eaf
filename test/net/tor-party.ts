// A party of the private network as the product makes one: a tor of its own, its onion service, its dialling side.

import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { prepareSocketDirectory } from '../../src/net/socket-directory.ts';
import { TorHost } from '../../src/net/tor/tor-host.ts';
import type { TorState } from '../../src/ports/onion-host.ts';
import { keptLog } from './kept-log.ts';
import { realClock } from './real-clock.ts';

export type TorParty = {
  readonly host: TorHost;
  /** Where its TLS server must listen. */
  readonly backend: string;
  readonly log: readonly string[];
};

export async function torParty(dir: string, name: string, extraLines: string): Promise<TorParty> {
  const home = join(dir, name);
  mkdirSync(home, { mode: 0o700 });
  const socketDir = await prepareSocketDirectory(join(home, 's'), dir);
  const backend = join(socketDir, 'peer');
  const logger = keptLog();
  const files = { stateDir: join(home, 'tor'), socketDir };
  const host = new TorHost(
    { source: { kind: 'own', files, binary: undefined, extraLines }, backend },
    { clock: realClock, logger },
  );
  await host.start();
  return { host, backend, log: logger.lines };
}

/** Resolves at the first state that is as wanted; rejects with the state after `withinMs`. */
export function torState(host: TorHost, isWanted: (state: TorState) => boolean, withinMs = 60_000): Promise<void> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => finish(new Error(`tor is ${JSON.stringify(host.state())}`)), withinMs);
    const finish = (error?: Error): void => {
      clearTimeout(timer);
      off();
      if (error === undefined) resolve();
      else reject(error);
    };
    const off = host.onState((state) => isWanted(state) && finish());
    if (isWanted(host.state())) finish();
  });
}
