// JSON log lines on standard error. Callers put nothing secret into a line; the redaction list is the
// second belt. Invariant: a log that cannot be written (its disk is full) costs lines, never the daemon.

import { pino } from 'pino';
import type { Logger } from '../ports/logger.ts';

const SECRET_FIELDS = ['secret', 'password', 'words', 'phrase', 'key', 'onion', 'peer', 'path', 'name'];

export type LogLevel = 'debug' | 'info' | 'warn' | 'error';

/** Lines that wait for a log which takes none now; what does not fit is dropped. */
const WAITING_BYTES = 65_536;

export function pinoLogger(level: LogLevel): Logger {
  const destination = pino.destination({ fd: 2, sync: true, maxLength: WAITING_BYTES });
  destination.on('error', () => undefined);
  const log = pino(
    {
      level,
      base: null,
      timestamp: pino.stdTimeFunctions.isoTime,
      redact: { paths: SECRET_FIELDS, censor: '[hidden]' },
    },
    destination,
  );
  return {
    debug: (message, fields = {}) => log.debug(fields, message),
    info: (message, fields = {}) => log.info(fields, message),
    warn: (message, fields = {}) => log.warn(fields, message),
    error: (message, fields = {}) => log.error(fields, message),
  };
}
