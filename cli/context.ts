// What a command gets: the settings of the command line, the output, and the daemon when it asks for it.

import type { NodePaths } from '../src/core/paths.ts';
import type { DaemonClient } from './client.ts';
import type { Output, OutputSettings, Result } from './output.ts';
import type { Asker } from './prompt.ts';

export type Settings = OutputSettings &
  Asker & {
    /** From --timeout. */
    readonly timeoutMs: number | undefined;
  };

export type Context = {
  readonly paths: NodePaths;
  readonly settings: Settings;
  readonly out: Output;
  /** Aborts on Ctrl-C. */
  readonly signal: AbortSignal;
  /** DAEMON_NOT_RUNNING when none answers, NOT_INITIALISED where no node is. Opened once and closed by main. */
  client(): Promise<DaemonClient>;
};

export type Options = Readonly<Record<string, unknown>>;
export type Run = (context: Context, args: readonly string[], options: Options) => Promise<Result>;

/** One row of the flat list of commands. */
export type Command = {
  /** "peers list". */
  readonly words: string;
  /** In commander's notation: "<name> [out]". */
  readonly args?: string;
  readonly summary: string;
  readonly options?: readonly (readonly [flags: string, description: string])[];
  /** With --json the command prints NDJSON progress and ends with a line of type "result". */
  readonly streams?: boolean | ((options: Options) => boolean);
  readonly load: () => Promise<{ readonly run: Run }>;
};

export function textOption(options: Options, name: string): string | undefined {
  const value = options[name];
  return typeof value === 'string' ? value : undefined;
}

export function flagOption(options: Options, name: string): boolean {
  return options[name] === true;
}
