// Chance that repeats: the same seed gives the same throws on every machine. Input n of a target has dice of its own, so that
// it can be made again without the ones before it.

export type Dice = {
  /** 0 to 2^32 - 1. */
  u32(): number;
  /** 0 to `count` - 1. */
  below(count: number): number;
  /** True once in `odds` throws. */
  once(odds: number): boolean;
  pick<T>(list: readonly T[]): T;
  bytes(count: number): Buffer;
};

/** Dice from a seed, a name and a number (sfc32, seeded by FNV-1a over the three). */
export function diceOf(seed: number, name: string, index: number): Dice {
  let a = mix(seed, name);
  let b = Math.imul(index, 0x9e37_79b1) | 0;
  let c = Math.imul(index ^ seed, 0x85eb_ca6b) | 0;
  let counter = 1;
  const u32 = (): number => {
    const sum = (((a + b) | 0) + counter) | 0;
    counter = (counter + 1) | 0;
    a = b ^ (b >>> 9);
    b = (c + (c << 3)) | 0;
    c = (((c << 21) | (c >>> 11)) + sum) | 0;
    return sum >>> 0;
  };
  for (let warm = 0; warm < 12; warm++) u32();
  const below = (count: number): number => Math.floor((u32() / 2 ** 32) * count);
  return {
    u32,
    below,
    once: (odds) => below(odds) === 0,
    pick: <T>(list: readonly T[]): T => list[below(list.length)] as T,
    bytes: (count) => {
      const bytes = Buffer.alloc(count);
      for (let at = 0; at < count; at++) bytes[at] = u32() & 255;
      return bytes;
    },
  };
}

function mix(seed: number, name: string): number {
  let hash = 0x811c_9dc5 ^ seed;
  for (const character of name) hash = Math.imul(hash ^ (character.codePointAt(0) ?? 0), 0x0100_0193);
  return hash | 0;
}
