// Replaces functions of the platform below the program for as long as a test watches them, and puts them back.
// Nothing in src knows of it: whatever reaches the disk or starts a thread goes through here, by whatever module.

import { syncBuiltinESMExports } from 'node:module';

export type AnyFunction = (this: unknown, ...args: unknown[]) => unknown;

export class Patches {
  readonly #undo: (() => void)[] = [];

  /** `make` gets the original and returns what is called instead of it. */
  replace(target: object, name: string, make: (original: AnyFunction) => AnyFunction): void {
    const original: unknown = Reflect.get(target, name);
    if (typeof original !== 'function') throw new Error(`the platform has no function ${name}`);
    this.set(target, name, make(original as AnyFunction));
  }

  set(target: object, name: string, value: unknown): void {
    const before = Object.getOwnPropertyDescriptor(target, name);
    if (before === undefined) throw new Error(`the platform has no ${name}`);
    Object.defineProperty(target, name, {
      configurable: true,
      enumerable: before.enumerable ?? true,
      writable: true,
      value,
    });
    this.#undo.push(() => Object.defineProperty(target, name, before));
    syncBuiltinESMExports();
  }

  undo(): void {
    for (const undo of this.#undo.splice(0).toReversed()) undo();
    syncBuiltinESMExports();
  }
}
