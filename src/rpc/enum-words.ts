// A closed set of words and the numbers they have on the wire, both ways.

export type EnumWords<Word, Wire extends number> = {
  readonly words: ReadonlyMap<number, Word>;
  toWire(word: Word): Wire;
};

/** `table` must name every word, so a new word without a number does not compile. */
export function enumWords<Word extends string, Wire extends number>(
  table: Readonly<Record<Word, Wire>>,
): EnumWords<Word, Wire> {
  const entries = Object.entries(table) as [Word, Wire][];
  return { words: new Map(entries.map(([word, wire]) => [wire, word])), toWire: (word) => table[word] };
}
