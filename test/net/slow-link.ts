// A Unix socket in front of another one whose bytes arrive late and no faster than a rate, as through a circuit of Tor.
// A program of its own, so that its work is not that of the daemons: `node slow-link.ts <at> <to> <delay ms> <bytes/s>`.

import { rmSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import type { Socket } from 'node:net';

/** What a circuit holds beyond delay times rate before it stops whoever sends. */
const SLACK_BYTES = 256 * 1024;

/** Each connection has `bytesPerSecond` of its own in each direction; each byte takes `delayMs`. */
function pass(from: Socket, to: Socket, delayMs: number, bytesPerSecond: number): void {
  const most = SLACK_BYTES + (delayMs * bytesPerSecond) / 1000;
  /** In order: timers that are due in the same millisecond fire in any. */
  const queue: Buffer[] = [];
  let underWay = 0;
  let freeAtMs = 0;
  from.on('data', (bytes: Buffer) => {
    const nowMs = performance.now();
    freeAtMs = Math.max(freeAtMs, nowMs) + (bytes.length * 1000) / bytesPerSecond;
    underWay += bytes.length;
    queue.push(bytes);
    if (underWay > most) from.pause();
    setTimeout(
      () => {
        const oldest = queue.shift() ?? Buffer.alloc(0);
        underWay -= oldest.length;
        if (underWay <= most) from.resume();
        if (!to.destroyed) to.write(oldest);
      },
      freeAtMs - nowMs + delayMs,
    );
  });
  from.once('close', () => to.destroy());
  from.on('error', () => from.destroy());
}

const [at = '', to = '', delayMs = '', bytesPerSecond = ''] = process.argv.slice(2);
rmSync(at, { force: true });
createServer((near) => {
  const far = connect(to);
  pass(near, far, Number(delayMs), Number(bytesPerSecond));
  pass(far, near, Number(delayMs), Number(bytesPerSecond));
}).listen(at, () => process.stdout.write('ready\n'));
