// One life of tor: from the start of the process (or the attach) until the control connection is gone. TorHost runs one
// after the other. Invariant: when run() settles, neither our process nor our connection is left.

import { BbError } from '../../core/errors.ts';
import type { Clock } from '../../ports/clock.ts';
import { readBootstrap } from './bootstrap.ts';
import type { Bootstrap } from './bootstrap.ts';
import { ControlClient } from './control-client.ts';
import { malformed } from './control-lines.ts';
import { findTor } from './find-tor.ts';
import { startTor } from './process.ts';
import type { TorProcess } from './process.ts';
import { controlSocketOf, socksSocketOf } from './torrc.ts';
import type { TorFiles } from './torrc.ts';

/** How to come to a tor: start one, or use the one behind a control socket. */
export type TorSource =
  | {
      readonly kind: 'own';
      readonly files: TorFiles;
      /** Absolute path; undefined = look for it. */
      readonly binary: string | undefined;
      /** Lines of --tor-config, or empty. */
      readonly extraLines: string;
    }
  | { readonly kind: 'attach'; readonly controlSocket: string };

export type SessionListener = {
  /** The control connection is up. */
  readonly onControl: (control: ControlClient) => void;
  readonly onBootstrap: (bootstrap: Bootstrap) => void;
  /** Tor is connected; `socks` is where to dial: a socket path or host:port. */
  readonly onReady: (socks: string) => void;
  readonly onEvent: (text: string) => void;
};

const SOCKET_POLL_MS = 100;
const CONTROL_WITHIN_MS = 20_000;

/** Runs until tor or the control connection ends, or `signal` aborts. Throws what went wrong, NO_TOR included. */
export async function runTorSession(
  source: TorSource,
  clock: Clock,
  listener: SessionListener,
  signal: AbortSignal,
): Promise<void> {
  let child: TorProcess | undefined;
  let control: ControlClient | undefined;
  try {
    if (source.kind === 'own') {
      child = await startTor(await findTor(source.binary, process.env['PATH'] ?? ''), source.files, source.extraLines);
    }
    const path = source.kind === 'own' ? controlSocketOf(source.files) : source.controlSocket;
    control = await openControl(path, clock, child, signal);
    if (child !== undefined) await control.command('TAKEOWNERSHIP');
    await follow(control, source, listener, signal);
  } catch (error) {
    throw child === undefined ? error : withLog(error, child);
  } finally {
    control?.close();
    await child?.kill();
  }
}

/** Waits for a fresh tor to make its socket; an attached one must be there. */
async function openControl(
  path: string,
  clock: Clock,
  child: TorProcess | undefined,
  signal: AbortSignal,
): Promise<ControlClient> {
  let hasExited = false;
  void child?.exited.then(() => (hasExited = true));
  const deadlineMs = clock.monotonicMs() + CONTROL_WITHIN_MS;
  for (;;) {
    try {
      return await ControlClient.open(path);
    } catch (error) {
      if (child === undefined || hasExited || signal.aborted || clock.monotonicMs() > deadlineMs) throw error;
    }
    await clock.sleep(SOCKET_POLL_MS, signal);
  }
}

async function follow(
  control: ControlClient,
  source: TorSource,
  listener: SessionListener,
  signal: AbortSignal,
): Promise<void> {
  let isReady = false;
  const ended = Promise.withResolvers<void>();
  control.onClose(() => ended.resolve());
  signal.addEventListener('abort', () => ended.resolve(), { once: true });
  if (signal.aborted) return;

  const take = async (text: string): Promise<void> => {
    const bootstrap = readBootstrap(text);
    if (bootstrap === undefined || isReady) return;
    listener.onBootstrap(bootstrap);
    if (bootstrap.percent < 100) return;
    isReady = true;
    listener.onReady(source.kind === 'own' ? socksSocketOf(source.files) : await findSocks(control));
  };
  control.onEvent((text) => {
    listener.onEvent(text);
    take(text).catch(ended.reject);
  });
  await control.command('SETEVENTS STATUS_CLIENT HS_DESC');
  listener.onControl(control);
  await take(await control.getInfo('status/bootstrap-phase'));
  await ended.promise;
  if (!signal.aborted) throw new BbError('TOR_UNREACHABLE', 'tor ended or closed its control connection');
}

/** The SOCKS listener of a tor that is not ours; a Unix socket is preferred to a loopback port. */
async function findSocks(control: ControlClient): Promise<string> {
  const listeners = [...(await control.getInfo('net/listeners/socks')).matchAll(/"((?:[^"\\]|\\.)*)"/g)];
  const names = listeners.map(([, name = '']) => name);
  const unix = names.find((name) => name.startsWith('unix:'))?.slice('unix:'.length);
  const socks = unix ?? names.find((name) => /^127\.0\.0\.1:\d+$/.test(name));
  if (socks === undefined) throw malformed('no SOCKS listener on a Unix socket or 127.0.0.1');
  return socks;
}

/** Adds tor's own last complaint: most often it is about a line of --tor-config. */
function withLog(error: unknown, child: TorProcess): unknown {
  if (!(error instanceof BbError)) return error;
  const complaints = [...child.logTail().matchAll(/\[(?:err|warn)\] (.*)/g)].map(([, text = '']) => text);
  const last = complaints.at(-1);
  return last === undefined
    ? error
    : new BbError(error.code, `${error.message} (${last.slice(0, 200)})`, { cause: error });
}
