// The exit codes as help text, from the one table of errors.

import { ERRORS } from '../src/core/errors.ts';

/** One line per exit code with the error codes that lead to it. */
export function exitCodeHelp(): string {
  const codes = new Map<number, string[]>();
  for (const [code, { exit }] of Object.entries(ERRORS)) codes.set(exit, [...(codes.get(exit) ?? []), code]);
  const lines = [...codes]
    .sort(([a], [b]) => a - b)
    .map(([exit, names]) => `  ${String(exit).padStart(3)}  ${names.join(', ')}`);
  return `\nExit codes (docs/errors.md):\n    0  done\n${lines.join('\n')}\n`;
}
