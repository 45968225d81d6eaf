// One closed list of operating errors: code -> exit code, gRPC status, retry advice, hint.
// The CLI, the gRPC edge, `--json` and docs/errors.md all read this table, so they cannot disagree.

export type ErrorRow = {
  /** Exit code of `bb` and `bbd` (docs/errors.md). */
  readonly exit: number;
  /** gRPC status number used on clirpc. */
  readonly grpc: number;
  readonly retryable: boolean;
  /** The next step, shown after `hint:` unless the error carries a better one. */
  readonly hint: string;
};

const row = (exit: number, grpc: number, retryable: boolean, hint: string): ErrorRow => ({
  exit,
  grpc,
  retryable,
  hint,
});

export const ERRORS = {
  INTERNAL: row(1, 13, false, 'This is a bug. Look at the daemon log (bb config path) and report it.'),
  USAGE: row(2, 3, false, 'See bb help for the command.'),
  BAD_CONFIG: row(2, 3, false, 'Correct the configuration file (bb config path) and start bbd again.'),
  BAD_NAME: row(2, 3, false, 'Use a relative name without "..", "." or empty components.'),
  BAD_ONION_ID: row(
    2,
    3,
    false,
    'An onion id has 56 letters and digits; ask your friend for the line that starts with bb:.',
  ),
  WEAK_PASSWORD: row(2, 3, false, 'Use a longer password, or let bb init generate 24 words.'),
  BAD_PHRASE: row(2, 3, false, 'Check each of the 24 words against the recovery kit.'),
  PARTIAL: row(3, 9, true, 'Connect more of the peers that hold your content, then run bb recover again.'),
  CHECK_FAILED: row(4, 9, true, 'See bb contracts show for this peer.'),
  NOT_PROTECTED: row(4, 9, true, 'See bb status for what is missing.'),
  FINDINGS: row(4, 9, true, 'Do what the findings say, then run bb doctor again.'),
  NOT_INITIALISED: row(10, 9, false, 'Run bb init first.'),
  LOCKED: row(11, 16, false, 'Run bb unlock first.'),
  WRONG_SECRET: row(12, 16, false, 'Try again; words and password must be exactly those of bb init.'),
  DAEMON_NOT_RUNNING: row(13, 14, true, 'Start it with bb unlock, or run bbd.'),
  TOR_UNREACHABLE: row(14, 14, true, 'Tor is not connected yet; see bb status.'),
  PEER_UNREACHABLE: row(14, 14, true, 'The peer is offline or unknown to Tor; try again later.'),
  REFUSED_BY_PEER: row(15, 7, false, 'Ask the peer to add you with bb connect, or propose other terms.'),
  NO_CONTRACT: row(15, 9, false, 'Propose one with bb contracts propose.'),
  NO_SPACE: row(16, 8, true, 'Free some disk space and try again; nothing was changed.'),
  OVER_BUDGET: row(16, 8, false, 'Raise the budget with bb storage set --limit, or ask for less.'),
  TOO_LARGE: row(16, 8, false, 'Store less: see docs/limits.md.'),
  INTEGRITY: row(17, 15, false, 'Run bb doctor --fix, and keep the data directory as it is (docs/operations.md).'),
  BAD_PEER_DATA: row(17, 15, true, 'The peer sent wrong bytes; another peer may still have good ones.'),
  EXISTS: row(18, 6, false, 'Use --force to overwrite.'),
  ALREADY_INITIALISED: row(
    18,
    6,
    false,
    'Stop bbd and use another --data-dir, or move this one away if it was made by mistake.',
  ),
  DATA_DIR_IN_USE: row(18, 6, false, 'Stop the other bbd first, or use another --data-dir.'),
  OWN_ONION_ID: row(18, 3, false, 'Ask your friend for theirs: the line that starts with bb: in bb identity show.'),
  PUBLISH_BLOCKED: row(18, 9, true, 'This node is recovering; see bb status and bb recover.'),
  CONFLICT: row(18, 10, true, 'Look at bb status and try again.'),
  NOT_FOUND: row(19, 5, false, 'See bb listfiles or bb peers list for what exists.'),
  UNKNOWN_PEER: row(19, 5, false, 'Add the peer first: bb connect <onion-id>.'),
  TIMEOUT: row(20, 4, true, 'The job goes on in the daemon; see bb status.'),
  INCOMPATIBLE: row(21, 9, false, 'Install a newer version of BarterBackup.'),
  CONFIRMATION_NEEDED: row(22, 9, false, 'Repeat the command with -y.'),
  UNIMPLEMENTED: row(69, 12, false, 'This version cannot do that yet.'),
  UNUSABLE_ENVIRONMENT: row(69, 9, false, 'See docs/operations.md.'),
  NO_TOR: row(69, 9, false, 'Install tor (Debian/Ubuntu: sudo apt-get install tor) and start bbd again.'),
  INTERRUPTED: row(
    130,
    1,
    true,
    'A job that was started goes on in the daemon (bb status); the same command may be run again.',
  ),
} as const satisfies Record<string, ErrorRow>;

export type ErrorCode = keyof typeof ERRORS;

export type ErrorOptions = { readonly cause?: unknown; readonly hint?: string };

/** An operating error: something the user or the environment can cause. Never used for bugs. */
export class BbError extends Error {
  readonly code: ErrorCode;
  readonly hint: string;

  constructor(code: ErrorCode, message: string, options: ErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = 'BbError';
    this.code = code;
    this.hint = options.hint ?? ERRORS[code].hint;
  }
}

export function isBbError(error: unknown, code?: ErrorCode): error is BbError {
  return error instanceof BbError && (code === undefined || error.code === code);
}

/** Normalises anything caught at a boundary; unknown errors become INTERNAL with the original as cause. */
export function toBbError(error: unknown): BbError {
  if (error instanceof BbError) return error;
  return new BbError('INTERNAL', error instanceof Error ? error.message : 'unknown error', { cause: error });
}

/** A broken invariant is a bug of ours: the daemon logs it, stops cleanly and exits. */
export class InvariantError extends Error {
  override readonly name = 'InvariantError';
}

export function invariant(condition: unknown, message: string): asserts condition {
  if (!condition) throw new InvariantError(message);
}
