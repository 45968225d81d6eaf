// Everything that bb writes: data to stdout, prose and progress to stderr, or with --json one envelope on stdout.
// Invariant: with --json stdout holds exactly one final line for a command, errors included, and nothing that is not JSON.

import pc from 'picocolors';
import type { BbError } from '../src/core/errors.ts';
import { ERRORS } from '../src/core/errors.ts';
import type { Progress } from '../src/gen/clirpc/v1/clirpc.ts';
import { phaseText, progressJson, progressText, quartersDone } from './progress.ts';
import { safeLines, safeText } from './safe-text.ts';

export type OutputSettings = {
  readonly json: boolean;
  readonly quiet: boolean;
  readonly verbose: boolean;
  readonly color: boolean;
};

/** What a command ended with. */
export type Result = {
  /** `data` of the envelope. */
  readonly data: Readonly<Record<string, unknown>>;
  /** What stdout gets without --json; absent for nothing. */
  readonly text?: string;
  /** A finding: the command did its work and its answer means a non-zero exit. */
  readonly failure?: BbError;
};

export type Sink = {
  readonly isTTY?: boolean | undefined;
  write(text: string): unknown;
};

type Colors = ReturnType<typeof pc.createColors>;

export class Output {
  readonly settings: OutputSettings;
  readonly colors: Colors;
  readonly #stdout: Sink;
  readonly #stderr: Sink;
  readonly #warnings: string[] = [];
  #phase = '';
  #quarters = 0;
  #lineOpen = false;

  constructor(settings: OutputSettings, stdout: Sink, stderr: Sink) {
    this.settings = settings;
    this.colors = pc.createColors(settings.color);
    this.#stdout = stdout;
    this.#stderr = stderr;
  }

  /** Prose for a person; not with -q or --json. */
  note(text: string): void {
    if (!this.settings.json && !this.settings.quiet) this.#prose(text);
  }

  /** More prose, with -v only. */
  detail(text: string): void {
    if (this.settings.verbose) this.note(text);
  }

  /** Shown even with -q; part of the envelope with --json. */
  warn(text: string): void {
    this.#warnings.push(text);
    if (!this.settings.json) this.#prose(`${this.colors.yellow('warning:')} ${text}`);
  }

  progress(progress: Progress): void {
    if (this.settings.json) return this.line(progressJson(progress));
    if (this.settings.quiet) return;
    if (this.#stderr.isTTY) {
      this.#stderr.write(`\r\u001b[K* ${safeText(progressText(progress))}`);
      this.#lineOpen = true;
    } else {
      this.#progressLine(progress);
    }
  }

  /** The end of a phase is told by what follows it. */
  #progressLine(progress: Progress): void {
    const isNew = progress.phase !== this.#phase;
    const quarters = quartersDone(progress);
    if (isNew || (quarters > this.#quarters && progress.done < progress.total)) {
      this.#prose(`* ${safeText(progress.done === 0n ? phaseText(progress) : progressText(progress))}`);
    }
    this.#phase = progress.phase;
    this.#quarters = isNew ? quarters : Math.max(quarters, this.#quarters);
  }

  /** One NDJSON line of a stream; only with --json. */
  line(value: unknown): void {
    if (this.settings.json) this.#stdout.write(`${JSON.stringify(value)}\n`);
  }

  /** Data for stdout; not with --json. */
  print(text: string): void {
    this.#closeLine();
    if (!this.settings.json) this.#stdout.write(text.endsWith('\n') ? text : `${text}\n`);
  }

  /** Writes the end of a command and returns its exit code. `stream` marks the last line of an NDJSON stream. */
  finish(result: Result, stream: boolean): number {
    if (result.text !== undefined) this.print(result.text);
    if (result.failure !== undefined) return this.fail(result.failure, stream, result.data);
    this.#closeLine();
    this.line({ ...head(stream), ok: true, data: result.data, warnings: this.#warnings });
    return 0;
  }

  /** Writes an error and returns its exit code. `data` is what a check found all the same. */
  fail(error: BbError, stream: boolean, data?: Readonly<Record<string, unknown>>): number {
    const { exit, retryable } = ERRORS[error.code];
    const { code, message, hint } = error;
    if (this.settings.json) {
      const details = { code, exit, message, hint, retryable };
      this.line({ ...head(stream), ok: false, error: details, ...(data === undefined ? {} : { data }) });
    } else {
      this.#prose(`${this.colors.red('error:')} ${safeLines(message)}`);
      if (hint !== '') this.#prose(`${this.colors.cyan('hint:')} ${safeText(hint)}`);
    }
    return exit;
  }

  #prose(text: string): void {
    this.#closeLine();
    this.#stderr.write(`${text}\n`);
  }

  #closeLine(): void {
    if (this.#lineOpen) this.#stderr.write('\r\u001b[K');
    this.#lineOpen = false;
  }
}

function head(stream: boolean): Readonly<Record<string, unknown>> {
  return stream ? { t: 'result', v: 1 } : { v: 1 };
}
