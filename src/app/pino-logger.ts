// JSON log lines on standard error. Callers put nothing secret into a line; the redaction list is the
// second belt.

import { pino } from 'pino';
import type { Logger } from '../ports/logger.ts';

const SECRET_FIELDS = ['secret', 'password', 'words', 'phrase', 'key', 'onion', 'peer', 'path', 'name'];

export type LogLevel = 'debug' | 'info' | 'warn' | 'error';

export function pinoLogger(level: LogLevel): Logger {
  const log = pino(
    {
      level,
      base: null,
      timestamp: pino.stdTimeFunctions.isoTime,
      redact: { paths: SECRET_FIELDS, censor: '[hidden]' },
    },
    pino.destination({ fd: 2, sync: true }),
  );
  return {
    debug: (message, fields = {}) => log.debug(fields, message),
    info: (message, fields = {}) => log.info(fields, message),
    warn: (message, fields = {}) => log.warn(fields, message),
    error: (message, fields = {}) => log.error(fields, message),
  };
}
