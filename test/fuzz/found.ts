// Inputs that once did what they must not, kept for ever: each is given to its target in every run.

export type Found = {
  readonly target: string;
  readonly input: string;
  /** The documented word. */
  readonly word: string;
  readonly why: string;
};

export const FOUND: readonly Found[] = [
  {
    target: 'metadata',
    input: 'CgsI/////////w9AERogAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAABKAGoAcAE=',
    word: 'undefined',
    why: 'a time in seconds below 2^53 whose milliseconds are above it',
  },
];
