// Where the bytes of sealed cells are while nobody looks at them: a cell that a simulated owner sealed is kept as the way
// to make it again, because a thousand nodes with eight copies of everything have no memory for 128 KiB each time.
// Invariant: what is read is byte for byte what was stored; anything that the bank cannot make again is kept as it is.

import { CELL_BYTES } from '../../src/core/limits.ts';
import { DATA_ID_AT } from './content.ts';

/** How to make the sealed bytes of one cell again, always the same. */
export type Recipe = {
  /** Whether real ciphers make them, which costs a thousand times as much as a stand-in. */
  readonly isSealed: boolean;
  make(): Buffer;
};

const RECIPES = 200_000;
const ZEROS = Buffer.alloc(DATA_ID_AT);
const SEALED_CELLS = 1024;
const STAND_INS = 128;

export class CellBank {
  /** By leaf. */
  readonly #recipes = new Map<string, Recipe>();
  readonly #sealed = new Map<string, Buffer>();
  readonly #standIns = new Map<string, Buffer>();

  /** An owner has sealed this cell, and a storer may soon keep it; `bytes`, where they are at hand. */
  register(leaf: Buffer, recipe: Recipe, bytes?: Buffer): void {
    const key = leaf.toString('latin1');
    remember(this.#recipes, key, recipe, RECIPES);
    if (bytes !== undefined) this.#remember(key, recipe, bytes);
  }

  /** Sealed bytes that will soon be wanted, made anyway. */
  see(leaf: Buffer, bytes: Buffer): void {
    remember(this.#sealed, leaf.toString('latin1'), bytes, SEALED_CELLS);
  }

  /** How to make bytes again that have this leaf. */
  keep(leaf: Buffer, bytes: Buffer): Recipe {
    const key = leaf.toString('latin1');
    const recipe = this.#recipes.get(key);
    if (recipe !== undefined && this.expand(key, recipe).equals(bytes)) return recipe;
    return { isSealed: false, make: copyOf(bytes) };
  }

  /** The bytes with this leaf, as a key; never to be written to. */
  expand(key: string, recipe: Recipe): Buffer {
    const known = this.#sealed.get(key) ?? this.#standIns.get(key);
    if (known !== undefined) return known;
    const bytes = recipe.make();
    if (bytes.length !== CELL_BYTES) throw new Error('a cell of the bank has another size');
    this.#remember(key, recipe, bytes);
    return bytes;
  }

  #remember(key: string, { isSealed }: Recipe, bytes: Buffer): void {
    if (isSealed) remember(this.#sealed, key, bytes, SEALED_CELLS);
    else remember(this.#standIns, key, bytes, STAND_INS);
  }
}

/** A cell whose recipe was forgotten meanwhile, as after months in a pack that is rewritten: of a data cell only its id is kept. */
function copyOf(bytes: Buffer): () => Buffer {
  const isData = bytes.subarray(0, DATA_ID_AT).equals(ZEROS);
  const kept = Buffer.from(isData ? bytes.subarray(DATA_ID_AT) : bytes);
  return isData ? () => Buffer.concat([ZEROS, kept], CELL_BYTES) : () => kept;
}

/** Keeps what was used last. */
function remember<T>(map: Map<string, T>, key: string, value: T, max: number): void {
  map.delete(key);
  map.set(key, value);
  const [oldest] = map.keys();
  if (map.size > max && oldest !== undefined) map.delete(oldest);
}
