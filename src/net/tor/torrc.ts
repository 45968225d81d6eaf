// The configuration of a tor of our own. Lines of --tor-config come first and ours last, where tor lets them win: bridges,
// pluggable transports or the authorities of a test network can be added, our sockets cannot be moved.

import { join } from 'node:path';

export type TorFiles = {
  /** Folder of tor's own state, inside the data directory. */
  readonly stateDir: string;
  /** From prepareSocketDirectory. */
  readonly socketDir: string;
};

export const controlSocketOf = (files: TorFiles): string => join(files.socketDir, 'control');
export const socksSocketOf = (files: TorFiles): string => join(files.socketDir, 'socks');

/** The whole torrc; `ownerPid` is the process that tor must not outlive. */
export function torrcText(files: TorFiles, extraLines: string, ownerPid: number): string {
  const ours = [
    `DataDirectory ${quotePath(files.stateDir)}`,
    'ClientOnly 1',
    `ControlSocket ${controlSocketOf(files)}`,
    'CookieAuthentication 1',
    `CookieAuthFile ${quotePath(join(files.stateDir, 'control_auth_cookie'))}`,
    `SocksPort unix:${socksSocketOf(files)} OnionTrafficOnly ExtendedErrors`,
    'Log notice stdout',
    'ShutdownWaitLength 0',
    `__OwningControllerProcess ${ownerPid}`,
  ];
  return `${extraLines.trimEnd()}\n${ours.join('\n')}\n`;
}

/** True when these lines make tor part of a test network, the only place where protocol periods may be divided. */
export function testingNetwork(torrcText: string): boolean {
  return /^[ \t]*TestingTorNetwork[ \t]+"?1"?[ \t]*(#.*)?$/im.test(torrcText);
}

/** A torrc value in quotes, with every byte that is not plain ASCII as an octal escape. */
function quotePath(path: string): string {
  const bytes = [...Buffer.from(path)].map((byte) => {
    const isPlain = byte >= 0x20 && byte < 0x7f && byte !== 0x22 && byte !== 0x5c;
    return isPlain ? String.fromCharCode(byte) : `\\${byte.toString(8).padStart(3, '0')}`;
  });
  return `"${bytes.join('')}"`;
}
