// What a node needs from its machine: disk space, a clock that does not go back, tor.

import { bytesForPeers } from '../core/policy/offer.ts';
import { DEADLINES_MS } from '../core/policy/periods.ts';
import type { Daemon } from './daemon.ts';
import { finding } from './finding.ts';
import type { Finding } from './local-api.ts';

export async function checkSpace({ deps }: Daemon, fix: boolean): Promise<Finding[]> {
  if (fix) await deps.dataDir.tidy();
  const freeBytes = await deps.dataDir.freeBytes();
  const mib = Math.floor(freeBytes / MIB);
  const { hasBallast } = await deps.dataDir.inspect();
  if (bytesForPeers(freeBytes, await deps.dataDir.totalBytes()) === 0) {
    return [
      finding('space', 'warning', `${mib} MiB are free: too little to take more from peers`, 'Free some disk space.'),
    ];
  }
  if (!hasBallast) {
    return [
      finding('space', 'warning', 'the ballast, which a clean-up on a full disk needs, is gone', 'bb doctor --fix'),
    ];
  }
  return [finding('space', 'ok', `${mib} MiB are free`)];
}

const MIB = 1024 ** 2;

/** Files carry the time of the clock that wrote them. */
export async function checkClock({ deps }: Daemon): Promise<Finding[]> {
  const { newestMs } = await deps.dataDir.inspect();
  const aheadMs = newestMs - deps.clock.nowMs();
  if (aheadMs <= DEADLINES_MS.clockJump) return [finding('clock', 'ok', 'not earlier than what was written here')];
  const minutes = Math.ceil(aheadMs / 60_000);
  const words = `the clock is ${minutes} min earlier than the newest file here: it is wrong now, or was then`;
  return [finding('clock', 'warning', words, 'Set the clock of this machine; Tor needs it within the hour.')];
}

export async function checkTor({ deps }: Daemon): Promise<Finding[]> {
  const { phase, percent, words, version } = deps.tor.state();
  const name = `tor ${version ?? ''}`.trim();
  if (phase === 'ready') return [finding('tor', 'ok', `${name} is connected`)];
  if (phase === 'absent') {
    return [
      finding(
        'tor',
        'damaged',
        'tor is not installed',
        'Install tor (Debian/Ubuntu: sudo apt-get install tor) and start bbd again.',
      ),
    ];
  }
  const state = phase === 'bootstrapping' ? `connecting, ${percent} %` : phase;
  return [
    finding('tor', 'warning', `${name} is not connected: ${state}${words === '' ? '' : ` (${words})`}`, 'bb status'),
  ];
}
