// What grpc-js and Node throw, as BbError. The daemon names its code and hint in the trailers `bb-code` and `bb-hint`; an
// answer without them is judged by its status, because the channel itself failed or the daemon is of another version.

import { BbError, ERRORS, isBbError } from '../src/core/errors.ts';
import type { ErrorCode } from '../src/core/errors.ts';

/** The parts of a grpc-js ServiceError that matter here. */
type StatusError = Error & {
  readonly code: number;
  readonly details: string;
  readonly metadata: { get(key: string): readonly (string | Buffer)[] };
};

const CODE_BY_STATUS: Readonly<Record<number, ErrorCode>> = {
  1: 'INTERRUPTED',
  3: 'USAGE',
  4: 'TIMEOUT',
  8: 'TOO_LARGE',
  12: 'INCOMPATIBLE',
  14: 'DAEMON_NOT_RUNNING',
};

const CHANNEL_MESSAGES: Partial<Record<ErrorCode, string>> = {
  INTERRUPTED: 'interrupted',
  TIMEOUT: 'the time was up before it was done',
  INCOMPATIBLE: 'the daemon does not know this call; bb and bbd are of different versions',
  DAEMON_NOT_RUNNING: 'the daemon does not answer',
};

const CODE_BY_ERRNO: Readonly<Record<string, ErrorCode>> = {
  ENOENT: 'NOT_FOUND',
  EEXIST: 'EXISTS',
  ENOSPC: 'NO_SPACE',
  EDQUOT: 'NO_SPACE',
  EACCES: 'UNUSABLE_ENVIRONMENT',
  EPERM: 'UNUSABLE_ENVIRONMENT',
  EROFS: 'UNUSABLE_ENVIRONMENT',
};

/** Anything caught, as an operating error; what is unknown becomes INTERNAL. */
export function cliError(error: unknown): BbError {
  if (isBbError(error)) return error;
  if (isStatusError(error)) return fromStatus(error);
  if (isSystemError(error)) return fromSystem(error);
  const message = error instanceof Error ? error.message : 'unknown error';
  return new BbError('INTERNAL', message, { cause: error });
}

function fromStatus(error: StatusError): BbError {
  const code = trailer(error, 'bb-code');
  const hint = trailer(error, 'bb-hint');
  if (code in ERRORS) {
    return new BbError(code as ErrorCode, error.details, { cause: error, ...(hint === '' ? {} : { hint }) });
  }
  const known = CODE_BY_STATUS[error.code] ?? 'INTERNAL';
  // A code that this version does not know came with a message; without a code the channel itself failed.
  const message = code === '' ? (CHANNEL_MESSAGES[known] ?? error.details) : error.details;
  return new BbError(known, message, { cause: error, ...(hint === '' ? {} : { hint }) });
}

function fromSystem(error: NodeJS.ErrnoException): BbError {
  const code = CODE_BY_ERRNO[error.code ?? ''] ?? 'UNUSABLE_ENVIRONMENT';
  const path = error.path === undefined ? '' : `${error.path}: `;
  const reason = error.message.replace(/^[A-Z0-9]+: /, '').replace(/, .*$/, '');
  const hint = code === 'EXISTS' ? {} : { hint: 'Check the path, its permissions and the free space.' };
  return new BbError(code, `${path}${reason}`, { cause: error, ...hint });
}

function trailer(error: StatusError, key: string): string {
  return String(error.metadata.get(key)[0] ?? '');
}

function isStatusError(error: unknown): error is StatusError {
  return error instanceof Error && 'details' in error && 'metadata' in error && 'code' in error;
}

function isSystemError(error: unknown): error is NodeJS.ErrnoException {
  return error instanceof Error && 'syscall' in error && 'code' in error;
}
