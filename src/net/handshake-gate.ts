// What stands between an accepted connection and the cost of a TLS handshake. A handshake costs us ten times what it costs
// the caller, on the thread that also answers our peers, so only so many begin in a second, and only for callers that have
// said something; the others wait where they cost next to nothing.
// Invariant: each stage is bounded and its oldest makes room, so a flood of one stage cannot end what is in another: a
// handshake that has begun gets seconds, however many connections come meanwhile.

import type { Socket } from 'node:net';
import { HALF_OPEN_HANDSHAKES, HANDSHAKES_PER_SECOND, SILENT_CONNECTIONS, WAITING_HELLOS } from '../core/limits.ts';
import { DEADLINES_MS } from '../core/policy/periods.ts';

const SECOND_MS = 1000;

export type HandshakeGate = {
  /** A connection was accepted. */
  arrived(raw: Socket): void;
  /** Its handshake is over: the gate does not look at it any more. */
  passed(raw: Socket): void;
  close(): void;
};

/** `begin` starts the handshake of a connection whose first bytes are here; all of it is over by DEADLINES_MS.handshake. */
export function handshakeGate(begin: (raw: Socket) => void): HandshakeGate {
  const silent = new Set<Socket>();
  const hellos = new Set<Socket>();
  const halfOpen = new Set<Socket>();
  const deadlines = new Map<Socket, NodeJS.Timeout>();
  const pace = pacer(() => {
    const [next] = hellos;
    if (next === undefined) return false;
    hellos.delete(next);
    enter(halfOpen, next, HALF_OPEN_HANDSHAKES);
    begin(next);
    return true;
  });

  const leave = (raw: Socket): void => {
    for (const stage of [silent, hellos, halfOpen]) stage.delete(raw);
    clearTimeout(deadlines.get(raw));
    deadlines.delete(raw);
  };
  return {
    arrived: (raw) => {
      raw.on('error', () => raw.destroy());
      raw.once('close', () => leave(raw));
      deadlines.set(
        raw,
        setTimeout(() => raw.destroy(), DEADLINES_MS.handshake),
      );
      enter(silent, raw, SILENT_CONNECTIONS);
      raw.once('readable', () => {
        if (!silent.delete(raw)) return;
        enter(hellos, raw, WAITING_HELLOS);
        pace.more();
      });
    },
    passed: leave,
    close: () => {
      pace.stop();
      for (const raw of deadlines.keys()) raw.destroy();
    },
  };
}

/** Puts a connection into a stage; when it is full the one that is there longest ends. */
function enter(stage: Set<Socket>, raw: Socket, most: number): void {
  stage.add(raw);
  const [oldest] = stage;
  if (stage.size <= most || oldest === undefined) return;
  stage.delete(oldest);
  oldest.destroy();
}

/** Calls `step` while it says that there was something to do: a second's worth at once, then spaced evenly. */
function pacer(step: () => boolean): { more(): void; stop(): void } {
  let dueMs = Number.NEGATIVE_INFINITY;
  let timer: NodeJS.Timeout | undefined;
  const more = (): void => {
    if (timer !== undefined) return;
    for (;;) {
      const nowMs = performance.now();
      dueMs = Math.max(dueMs, nowMs - SECOND_MS);
      if (dueMs > nowMs) break;
      if (!step()) return;
      dueMs += SECOND_MS / HANDSHAKES_PER_SECOND;
    }
    timer = setTimeout(
      () => {
        timer = undefined;
        more();
      },
      Math.ceil(dueMs - performance.now()),
    );
  };
  return { more, stop: () => clearTimeout(timer) };
}
