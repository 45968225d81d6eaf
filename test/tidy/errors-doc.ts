// Prints docs/errors.md from the error table, so that the page cannot say something else than the code.
// `make gen` writes it; test/tidy/errors-doc.test.ts fails when it is out of date.

import { ERRORS } from '../../src/core/errors.ts';

const GRPC_NAMES = [
  'OK',
  'CANCELLED',
  'UNKNOWN',
  'INVALID_ARGUMENT',
  'DEADLINE_EXCEEDED',
  'NOT_FOUND',
  'ALREADY_EXISTS',
  'PERMISSION_DENIED',
  'RESOURCE_EXHAUSTED',
  'FAILED_PRECONDITION',
  'ABORTED',
  'OUT_OF_RANGE',
  'UNIMPLEMENTED',
  'INTERNAL',
  'UNAVAILABLE',
  'DATA_LOSS',
  'UNAUTHENTICATED',
];

/** The whole page, with a final newline. */
export function errorsPage(): string {
  const rows = Object.entries(ERRORS).map(
    ([code, row]) =>
      `| \`${code}\` | ${row.exit} | ${GRPC_NAMES[row.grpc]} | ${row.retryable ? 'yes' : 'no'} | ${row.hint} |`,
  );
  return `# Errors

Generated from \`src/core/errors.ts\` by \`make gen\`; edit the table there.

Every operating error has one code. \`bb\` prints \`error:\` and \`hint:\` on stderr and leaves with the exit code below; with
\`--json\` it prints the code, the message, the hint and whether trying again can help. Scripts should branch on the code or
the exit code, never on the text. Exit code 0 means done, 2 is also the exit code of a wrong command line.

A peer that calls this daemon sees the gRPC status and the code, never the text.

| code | exit | gRPC status | retry | hint |
| --- | --- | --- | --- | --- |
${rows.join('\n')}
`;
}

if (import.meta.main) process.stdout.write(errorsPage());
