// What a target of the fuzzer is: one parser, valid inputs to start from, and every way in which it may say no.
// Invariant: an outcome that is not listed is a crash, a bug of ours (an InvariantError, a TypeError, INTERNAL) always.

import { isBbError } from '../../src/core/errors.ts';
import { PeerRefusal } from '../../src/core/refusal.ts';
import { MalformedMessage } from '../../src/rpc/wire-checks.ts';
import type { Dice } from './dice.ts';

export type Mutator = (bytes: Buffer, dice: Dice, other: Buffer) => Buffer;

export type Target = {
  readonly name: string;
  readonly mutate: Mutator;
  /** Inputs that are read without an error. */
  readonly seeds: () => readonly Buffer[];
  /**
   * Reads one input the way the program does, and judges what came out by `sound`. Undefined is a documented answer of a
   * parser that returns it for damage.
   */
  readonly read: (input: Buffer) => unknown;
  /** Codes of BbError, names of PeerRefusal, or MALFORMED for MalformedMessage. */
  readonly refusals: readonly string[];
};

/** What was read breaks a promise of the parser. */
export class Unsound extends Error {
  override readonly name = 'Unsound';
}

export function sound(condition: boolean, promise: string): void {
  if (!condition) throw new Unsound(promise);
}

/** The word for an error as `refusals` has it; undefined for what no parser may throw. */
export function refusalOf(error: unknown): string | undefined {
  if (error instanceof MalformedMessage) return 'MALFORMED';
  if (error instanceof PeerRefusal) return error.refusal;
  return isBbError(error) && error.code !== 'INTERNAL' ? error.code : undefined;
}
