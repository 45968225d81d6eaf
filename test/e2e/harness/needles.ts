// Finds secrets, names and ids in files that must not hold them: many needles in one pass over large files, each in every
// form in which a program might have written it.

import { closeSync, openSync, readSync } from 'node:fs';
import { pubkeyFromOnionId } from '../../../src/core/ids.ts';
import type { OnionId } from '../../../src/core/ids.ts';

export type Needle = {
  /** For a person: which canary, in which form. */
  readonly what: string;
  readonly bytes: Buffer;
};

/** Shorter ones would be met by chance. */
export const NEEDLE_MIN_BYTES = 8;
const WINDOW_BYTES = 4 * 1024 * 1024;
const WORDS_IN_A_RUN = 3;
const SHOWN_ID_CHARACTERS = 8;

function needle(what: string, bytes: Buffer): Needle {
  if (bytes.length < NEEDLE_MIN_BYTES) throw new Error(`a needle of ${bytes.length} bytes is found by chance: ${what}`);
  return { what, bytes };
}

/** A text as it is, and as programs write bytes that they take for binary. */
export function textNeedles(what: string, text: string): Needle[] {
  return byteNeedles(what, Buffer.from(text));
}

export function byteNeedles(what: string, bytes: Buffer): Needle[] {
  const hex = bytes.toString('hex');
  const forms: [string, Buffer][] = [
    ['as it is', bytes],
    ['in hex', Buffer.from(hex)],
    ['in upper-case hex', Buffer.from(hex.toUpperCase())],
    ['reversed', Buffer.from(bytes.toReversed())],
    ['in UTF-16', Buffer.from(bytes.toString('latin1'), 'utf16le')],
    ...base64Forms(bytes),
  ];
  return forms.map(([form, found]) => needle(`${what}, ${form}`, found));
}

/** What of the base64 of a longer text is always there, at each of the three places that the bytes may have in it. */
function base64Forms(bytes: Buffer): [string, Buffer][] {
  return [0, 1, 2].map((shift) => {
    const text = Buffer.concat([Buffer.alloc(shift), bytes]).toString('base64');
    const from = Math.ceil((shift * 8) / 6);
    const to = Math.floor(((shift + bytes.length) * 8) / 6);
    return [`in base64 at ${shift}`, Buffer.from(text.slice(from, to))];
  });
}

/** An onion id: the whole text, the part that people are shown, and the key in it. */
export function onionNeedles(what: string, onionId: string): Needle[] {
  const shown = onionId.slice(0, SHOWN_ID_CHARACTERS);
  return [
    needle(`${what}, its beginning`, Buffer.from(shown)),
    needle(`${what}, its beginning in capitals`, Buffer.from(shown.toUpperCase())),
    ...byteNeedles(`${what}, its key`, pubkeyFromOnionId(onionId as OnionId)),
  ];
}

/** Any few words of a phrase that follow each other. */
export function phraseNeedles(what: string, words: string): Needle[] {
  const list = words.split(' ');
  const runs = Array.from({ length: list.length - WORDS_IN_A_RUN + 1 }, (_, at) => list.slice(at, at + WORDS_IN_A_RUN));
  return runs.flatMap((run) =>
    [' ', '","', ','].map((by) => needle(`${what}, a run of words`, Buffer.from(run.join(by)))),
  );
}

/** What of `needles` is in these bytes. */
export type Finder = { readonly longest: number; find(haystack: Buffer): Needle[] };

/** Looks at pairs of bytes and skips what cannot be inside of any needle (Wu and Manber). */
export function finderOf(needles: readonly Needle[]): Finder {
  const span = Math.min(...needles.map(({ bytes }) => bytes.length));
  const skips = new Uint8Array(65_536).fill(Math.min(255, span - 1));
  const ending = new Map<number, Needle[]>();
  for (const found of needles) {
    for (let at = 0; at + 1 < span; at += 1) {
      const pair = found.bytes.readUInt16BE(at);
      skips[pair] = Math.min(skips[pair] ?? 0, span - 2 - at);
    }
    const last = found.bytes.readUInt16BE(span - 2);
    ending.set(last, [...(ending.get(last) ?? []), found]);
  }
  const find = (haystack: Buffer): Needle[] => {
    const hits = new Set<Needle>();
    let at = span - 2;
    while (at + 1 < haystack.length) {
      const pair = ((haystack[at] ?? 0) << 8) | (haystack[at + 1] ?? 0);
      const skip = skips[pair] ?? 0;
      if (skip > 0) {
        at += skip;
        continue;
      }
      const start = at - span + 2;
      for (const found of ending.get(pair) ?? []) {
        if (haystack.subarray(start, start + found.bytes.length).equals(found.bytes)) hits.add(found);
      }
      at += 1;
    }
    return [...hits];
  };
  return { longest: Math.max(...needles.map(({ bytes }) => bytes.length)), find };
}

/** Reads a file in windows that overlap by the longest needle. */
export function findInFile(path: string, finder: Finder): Needle[] {
  const handle = openSync(path, 'r');
  const window = Buffer.alloc(WINDOW_BYTES + finder.longest);
  const hits = new Set<Needle>();
  try {
    let kept = 0;
    for (;;) {
      const read = readSync(handle, window, kept, WINDOW_BYTES, null);
      if (read === 0) return [...hits];
      for (const hit of finder.find(window.subarray(0, kept + read))) hits.add(hit);
      const next = Math.min(finder.longest, kept + read);
      window.copyWithin(0, kept + read - next, kept + read);
      kept = next;
    }
  } finally {
    closeSync(handle);
  }
}
