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
  {
    target: 'record of a row',
    input:
      'aGVsZAp7ImNlbGxzIjo3LCJjb250ZW50SWQiOnsiJGIiOiJBUUVCQVFFQkFRRUJBUUVCQVFFQkFRRUJBUUVCQVFFQkFRRUJBUUVCQVFFQkFRRUJBUUVCQVFFQkFRRUJBUUVCQVFFQkFRRUJBUT09In0sImhvbGRFbmRTZWNvbmRzIjoyLCJsaXN0IjotMCwib3duZXIiOiJieWhhNGRxb2J5aGE0ZHFvYnloYTRkcW9ieWhhNGRxb2J5aGE0ZHFvYnloYTRkcW9ieWhpenhhZCIsInJlcG9ydGVkIjpmYWxzZSwicm9sZSI6ImtlcHQiLCJyb290Ijp7IiRiIjoiQWdJQ0FnSUNBZ0lDQWdJQ0FnSUNBZ0lDQWdJQ0FnSUNBZ0lDQWdJQ0FnST0ifSwic2luY2VNcyI6MX0=',
    word: 'value',
    why: 'a zero with a sign, which JSON reads and does not write',
  },
];
