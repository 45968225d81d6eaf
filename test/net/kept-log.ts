// A Logger that keeps its lines, so that a test can look for one or print them when it fails.

import type { Logger } from '../../src/ports/logger.ts';

export type KeptLog = Logger & { readonly lines: string[] };

export function keptLog(): KeptLog {
  const lines: string[] = [];
  const keep =
    (level: string) =>
    (message: string, fields: object = {}): void => {
      lines.push(`${level} ${message} ${JSON.stringify(fields)}`);
    };
  return { lines, debug: keep('debug'), info: keep('info'), warn: keep('warn'), error: keep('error') };
}
