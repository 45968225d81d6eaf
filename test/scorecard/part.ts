// What every part of the scorecard is: a measurement from a seed that returns figures and never judges by time.

export type PartOptions = {
  /** Everything random of the part follows from it. */
  readonly seed: number;
  /** One line of progress. */
  readonly say: (line: string) => void;
};

/** The figures of the last line; a part returns those that it measures. */
export type Figures = {
  /** Cuts after which everything acknowledged was there, of all cuts. */
  readonly cuts?: Share;
  readonly kills?: Share;
  /** Flipped bytes that were found or proved harmless, of all flipped bytes. */
  readonly flips?: Share;
  /** Mutated inputs that parsers were given. */
  readonly inputs?: number;
  /** Inputs that ended in anything but the documented outcome. */
  readonly crashes?: number;
  /** Planted secrets, names and ids that were found where they must not be. */
  readonly canaries?: number;
  /** Growth of the flooded daemon's memory, in MiB. */
  readonly floodMib?: number;
  /** Acknowledged files that could not be returned bit-exact. */
  readonly lost?: number;
};

export type Share = { readonly good: number; readonly all: number };

export type Part = { readonly name: string; measure(options: PartOptions): Promise<Figures> };
