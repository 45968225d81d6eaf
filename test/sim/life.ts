// One run of a process: from its start to its kill. What it asked for before it died is never answered, so it stops at the
// next port call, as after kill -9.

import type { Machine } from './node-clock.ts';
import { NodeClock } from './node-clock.ts';

/** Where a process dies: with the call undone, or done and not answered. */
export type CrashMoment = 'before' | 'after';

const NEVER = new Promise<never>(() => undefined);
const SYNCHRONOUS = new Set(['isConnected', 'forget', 'redial', 'onConnection', 'state', 'onState']);
const ITERABLE = new Set(['download', 'list', 'read']);

export class Life {
  readonly machine: Machine;
  readonly clock: NodeClock;
  isDead = false;
  /** Port calls so far. */
  calls = 0;
  /** Told before each port call; a moment that it gives is when the process dies. */
  onCall: ((port: string, method: string, call: number) => CrashMoment | undefined) | undefined;
  onCrash: () => void = () => undefined;

  constructor(machine: Machine) {
    this.machine = machine;
    this.clock = new NodeClock(machine);
  }

  die(): void {
    this.isDead = true;
    this.clock.die();
  }

  /** Runs `then` after `delayMs` if this process lives; a machine that sleeps gets it when it wakes. */
  later(delayMs: number, then: () => void): void {
    const run = (): void => {
      if (this.isDead) return;
      if (this.machine.asleepSinceMs === undefined) then();
      else this.machine.park(run);
    };
    this.machine.time.at(delayMs, run);
  }

  /** The same port for this process, with a possible death at each call of its methods. */
  fence<Port extends object>(name: string, port: Port): Port {
    const fenced: Record<string, unknown> = {};
    for (const key of methodsOf(port)) {
      const method: unknown = Reflect.get(port, key);
      if (typeof method !== 'function') throw new Error(`${name}.${key} is no method`);
      fenced[key] = this.#wrap(name, key, (method as (...args: unknown[]) => unknown).bind(port));
    }
    return fenced as Port;
  }

  #wrap(port: string, name: string, method: (...args: unknown[]) => unknown): (...args: unknown[]) => unknown {
    if (SYNCHRONOUS.has(name)) return method;
    const hung = ITERABLE.has(name) ? { [Symbol.asyncIterator]: () => ({ next: () => NEVER }) } : NEVER;
    return (...args) => {
      if (this.isDead) return hung;
      this.calls += 1;
      const moment = this.onCall === undefined ? undefined : this.onCall(port, name, this.calls);
      if (moment === undefined) return method(...args);
      if (moment === 'after') method(...args);
      this.onCrash();
      return hung;
    };
  }
}

/** Names of the methods of an object, its own and those of its class. */
function methodsOf(port: object): Set<string> {
  const names = new Set<string>();
  for (let part = port; part !== Object.prototype; part = Object.getPrototypeOf(part) as object) {
    for (const name of Object.getOwnPropertyNames(part)) if (name !== 'constructor') names.add(name);
  }
  return names;
}
