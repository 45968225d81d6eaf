// A program of its own that floods the socket behind the onion service as tor would pass it on, so that the load of the
// attack is not counted as that of the peer that measures. `node flooder.ts <socket> <kind> <per second> <seconds>`
// Says `ready` before it begins, and at its end one line of JSON: how many connections it made and what became of them.

import { connect as connectRaw } from 'node:net';
import type { Socket } from 'node:net';
import { clientHello } from '../net/client-hello.ts';

/** `hello`: begins a handshake and goes once it was answered. `held`: begins one and stays. `silent`: stays, says nothing. */
export const FLOOD_KINDS = ['hello', 'held', 'silent'] as const;
export type FloodKind = (typeof FLOOD_KINDS)[number];

export type FloodResult = { readonly opened: number; readonly answered: number; readonly refused: number };

/** The flooder itself must stay small, whatever the server does with its connections. */
const OPEN_MAX = 4096;
const STEP_MS = 5;

async function flood(path: string, kind: FloodKind, perSecond: number, seconds: number): Promise<FloodResult> {
  const hello = await clientHello();
  const open = new Set<Socket>();
  const counts = { opened: 0, answered: 0, refused: 0 };
  const one = (): void => {
    const socket = connectRaw(path);
    open.add(socket);
    counts.opened += 1;
    socket.on('error', () => (counts.refused += 1));
    socket.once('close', () => open.delete(socket));
    if (kind !== 'silent') socket.write(hello);
    socket.once('data', () => {
      counts.answered += 1;
      if (kind === 'hello') socket.destroy();
    });
  };
  process.stdout.write('ready\n');
  const startedMs = performance.now();
  await new Promise<void>((resolve) => {
    const timer = setInterval(() => {
      const elapsedMs = performance.now() - startedMs;
      const due = Math.floor((Math.min(elapsedMs, seconds * 1000) * perSecond) / 1000);
      while (counts.opened < due && open.size < OPEN_MAX) one();
      if (elapsedMs < seconds * 1000) return;
      clearInterval(timer);
      resolve();
    }, STEP_MS);
  });
  for (const socket of open) socket.destroy();
  return { ...counts };
}

if (import.meta.main) {
  const [path = '', kind = '', perSecond = '', seconds = ''] = process.argv.slice(2);
  const known = FLOOD_KINDS.find((name) => name === kind);
  if (known === undefined) throw new Error(`the kinds are: ${FLOOD_KINDS.join(' ')}`);
  const result = await flood(path, known, Number(perSecond), Number(seconds));
  process.stdout.write(`${JSON.stringify(result)}\n`);
}
