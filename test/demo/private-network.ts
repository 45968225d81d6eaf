// A private Tor network on loopback: five directory authorities that are also the relays, so an onion service is
// reachable about ten seconds after the start. Daemons join it with a tor of their own and `torrcLines`; no byte leaves
// the machine. Script: `node test/demo/private-network.ts --dir D` prints the path of the file for --tor-config.
// Invariant: no tor outlives the process that started it (__OwningControllerProcess), nor stop().

import { spawn, spawnSync } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { authorityKeys, installKeys } from './authority-keys.ts';
import type { AuthorityKeys } from './authority-keys.ts';

export type PrivateNetwork = {
  /** Lines that make a client tor part of this network; what --tor-config points at. */
  readonly torrcLines: string;
  /** The file with these lines. */
  readonly torrcFile: string;
  /** Notice logs of all authorities, for a failed test. */
  logs(): string;
  stop(): Promise<void>;
};

export type PrivateNetworkOptions = {
  /** An existing folder for everything; a short path, because it holds Unix sockets. */
  readonly dir: string;
  /** Without this Tor's congestion control paces a circuit to some MB/s; volume tests want it off (docs/testing.md). */
  readonly isPaced?: boolean;
};

type Authority = {
  readonly name: string;
  readonly dataDirectory: string;
  readonly orPort: number;
  readonly dirPort: number;
  readonly keys: AuthorityKeys;
};

const AUTHORITIES = 5;
/** Onion services work with four relays, not with three; the next consensus has the one that was late. */
const RELAYS_NEEDED = 4;
/** Seconds until the first vote, and for votes and again for signatures to arrive. The first is as fast as tor allows. */
type Pace = { readonly leadSeconds: number; readonly voteSeconds: number };
/** One per attempt: authorities of a busy machine start slowly, and vote only for relays that they have heard of. */
const PACES: readonly Pace[] = [
  { leadSeconds: 1, voteSeconds: 2 },
  { leadSeconds: 4, voteSeconds: 2 },
  { leadSeconds: 8, voteSeconds: 4 },
  { leadSeconds: 12, voteSeconds: 8 },
];
/**
 * The same for the first vote and all later ones: clients and services derive the lifetime of onion descriptors from the
 * interval of the consensus they have, so a change would make them miss each other for a while.
 */
const INTERVAL_SECONDS = 60;
const CONSENSUS_WITHIN_MS = 15_000;

/** Starts the authorities and resolves once all have a good consensus; client tors started before would back off. */
export async function startPrivateNetwork(options: PrivateNetworkOptions): Promise<PrivateNetwork> {
  needTool('tor');
  needTool('tor-gencert');
  const dir = resolve(options.dir);
  const emptyFile = join(dir, 'empty');
  const torrcFile = join(dir, 'client.torrc');
  writeFileSync(emptyFile, '');
  let failure = '';
  for (const [attempt, pace] of PACES.entries()) {
    const authorities = await makeAuthorities(join(dir, `try${attempt}`));
    const torrcLines = commonLines(authorities, emptyFile, options.isPaced ?? false);
    const children = startAuthorities(authorities, pace, torrcLines, emptyFile, options.isPaced ?? false);
    const logs = (): string => authorities.map((one) => `--- ${one.name}\n${logOf(one)}`).join('\n');
    const found = await waitForConsensus(
      authorities,
      children,
      CONSENSUS_WITHIN_MS + 3 * (pace.leadSeconds + pace.voteSeconds) * 1000,
    );
    if (found === undefined) {
      writeFileSync(torrcFile, torrcLines);
      return { torrcLines, torrcFile, logs, stop: () => stopAll(children) };
    }
    await stopAll(children);
    failure = `${found}\n${logs()}`;
  }
  throw new Error(`private network: ${failure}`);
}

function startAuthorities(
  authorities: readonly Authority[],
  pace: Pace,
  commonLines: string,
  emptyFile: string,
  isPaced: boolean,
): ChildProcess[] {
  const offsetSeconds = votingOffsetSeconds(pace);
  return authorities.map((authority) => {
    const torrc = join(authority.dataDirectory, 'torrc');
    writeFileSync(torrc, commonLines + authorityLines(authority, pace.voteSeconds, offsetSeconds, isPaced));
    return spawn('tor', ['-f', torrc, '--defaults-torrc', emptyFile, '--hush'], { stdio: 'ignore' });
  });
}

function needTool(tool: string): void {
  const found = spawnSync(tool, ['--version'], { stdio: 'ignore' });
  if (found.error !== undefined) {
    throw new Error(`private network: ${tool} is missing; install it (Debian/Ubuntu: sudo apt-get install tor)`);
  }
}

async function makeAuthorities(dir: string): Promise<Authority[]> {
  const ports = await freePorts(2 * AUTHORITIES);
  return Array.from({ length: AUTHORITIES }, (_, index) => {
    const dataDirectory = join(dir, `a${index}`);
    mkdirSync(dataDirectory, { recursive: true, mode: 0o700 });
    const keys = authorityKeys(index);
    installKeys(keys, dataDirectory);
    const orPort = ports[2 * index] ?? 0;
    const dirPort = ports[2 * index + 1] ?? 0;
    return { name: `a${index}`, dataDirectory, orPort, dirPort, keys };
  });
}

/** Loopback ports that were free a moment ago; all are held at once so that none is given twice. */
async function freePorts(count: number): Promise<number[]> {
  const servers = Array.from({ length: count }, () => createServer());
  await Promise.all(servers.map((server) => new Promise<void>((done) => server.listen(0, '127.0.0.1', () => done()))));
  const ports = servers.map((server) => (server.address() as AddressInfo).port);
  await Promise.all(servers.map((server) => new Promise((done) => server.close(done))));
  return ports;
}

/** Voting then begins after the lead instead of at the next multiple of the wall clock. */
function votingOffsetSeconds({ leadSeconds, voteSeconds }: Pace): number {
  return (Math.ceil(Date.now() / 1000 + leadSeconds) + 2 * voteSeconds) % INTERVAL_SECONDS;
}

function commonLines(authorities: readonly Authority[], emptyFile: string, isPaced: boolean): string {
  const lines = [
    'TestingTorNetwork 1',
    ...authorities.map(
      ({ name, orPort, dirPort, keys }) =>
        `DirAuthority ${name} orport=${orPort} no-v2 v3ident=${keys.v3Identity} 127.0.0.1:${dirPort} ${keys.fingerprint}`,
    ),
    'PathsNeededToBuildCircuits 0.67',
    'EnforceDistinctSubnets 0',
    'LearnCircuitBuildTimeout 0',
    'CircuitBuildTimeout 10',
    'AddressDisableIPv6 1',
    `GeoIPFile ${emptyFile}`,
    `GeoIPv6File ${emptyFile}`,
    ...(isPaced ? [] : ['Schedulers Vanilla']),
  ];
  return `${lines.join('\n')}\n`;
}

function authorityLines(authority: Authority, voteSeconds: number, offsetSeconds: number, isPaced: boolean): string {
  const lines = [
    `Nickname ${authority.name}`,
    `DataDirectory ${authority.dataDirectory}`,
    `Log notice file ${join(authority.dataDirectory, 'notice.log')}`,
    `__OwningControllerProcess ${process.pid}`,
    'ShutdownWaitLength 0',
    'Address 127.0.0.1',
    `ORPort 127.0.0.1:${authority.orPort} IPv4Only`,
    `DirPort 127.0.0.1:${authority.dirPort}`,
    'AssumeReachable 1',
    'SocksPort 0',
    'ExitRelay 0',
    'ExitPolicy reject *:*',
    'ServerDNSDetectHijacking 0',
    'NumCPUs 1',
    'BandwidthRate 1 GBytes',
    'BandwidthBurst 1 GBytes',
    'AuthoritativeDirectory 1',
    'V3AuthoritativeDirectory 1',
    `ContactInfo ${authority.name}@test.invalid`,
    `V3AuthVotingInterval ${INTERVAL_SECONDS}`,
    `V3AuthVoteDelay ${voteSeconds}`,
    `V3AuthDistDelay ${voteSeconds}`,
    'V3AuthNIntervalsValid 3',
    `TestingV3AuthInitialVotingInterval ${INTERVAL_SECONDS}`,
    `TestingV3AuthInitialVoteDelay ${voteSeconds}`,
    `TestingV3AuthInitialDistDelay ${voteSeconds}`,
    `TestingV3AuthVotingStartOffset ${offsetSeconds}`,
    'TestingAuthDirTimeToLearnReachability 0',
    'TestingDirAuthVoteExit *',
    'TestingDirAuthVoteGuard *',
    'TestingDirAuthVoteHSDir *',
    'TestingMinExitFlagThreshold 0',
    'MinUptimeHidServDirectoryV2 0',
    'AuthDirMaxServersPerAddr 0',
    'AuthDirTestEd25519LinkKeys 0',
    'AuthDirHasIPv6Connectivity 0',
    ...(isPaced ? [] : ['ConsensusParams cc_cwnd_init=1000 cc_cwnd_min=500']),
  ];
  return `${lines.join('\n')}\n`;
}

/**
 * Undefined when all is well. On a busy machine an authority may be too late for the first vote; the consensus then lacks
 * relays and the next one is a minute away, so that starting anew is faster.
 */
async function waitForConsensus(
  authorities: readonly Authority[],
  children: readonly ChildProcess[],
  withinMs: number,
): Promise<string | undefined> {
  const deadlineMs = performance.now() + withinMs;
  const files = authorities.map(({ dataDirectory }) => join(dataDirectory, 'cached-microdesc-consensus'));
  while (!files.every((file) => existsSync(file))) {
    if (children.some((child) => child.exitCode !== null)) return 'an authority exited';
    if (performance.now() > deadlineMs) return 'no consensus in time';
    await sleep(50);
  }
  const usable = files.map(
    (file) => readFileSync(file, 'utf8').match(/^s .*\bGuard\b.*\bHSDir\b.*\bRunning\b/gm) ?? [],
  );
  return usable.every((relays) => relays.length >= RELAYS_NEEDED) ? undefined : 'the consensus lacks relays';
}

function logOf(authority: Authority): string {
  const file = join(authority.dataDirectory, 'notice.log');
  return existsSync(file) ? readFileSync(file, 'utf8').split('\n').slice(-30).join('\n') : '(no log)';
}

async function stopAll(children: readonly ChildProcess[]): Promise<void> {
  const running = children.filter((child) => child.exitCode === null && child.signalCode === null);
  const gone = running.map((child) => new Promise((done) => child.once('exit', done)));
  for (const child of running) child.kill('SIGKILL');
  await Promise.all(gone);
}

async function main(): Promise<void> {
  const { values } = parseArgs({ options: { dir: { type: 'string' }, paced: { type: 'boolean', default: false } } });
  if (values.dir === undefined) throw new Error('usage: node test/demo/private-network.ts --dir D [--paced]');
  mkdirSync(values.dir, { recursive: true });
  const network = await startPrivateNetwork({ dir: values.dir, isPaced: values.paced });
  console.log(network.torrcFile);
  const held = setInterval(() => {}, 60_000);
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    process.once(signal, () => {
      clearInterval(held);
      void network.stop();
    });
  }
}

if (import.meta.main) {
  main().catch((error: unknown) => {
    console.error((error as Error).message);
    process.exitCode = 1;
  });
}
