// The order of content revisions: (generation, sequence). Time never decides.

export type RevisionPlace = { readonly generation: number; readonly sequence: number };

/** Negative when `a` is older, 0 for the same place. */
export function compareRevisions(a: RevisionPlace, b: RevisionPlace): number {
  return a.generation - b.generation || a.sequence - b.sequence;
}
