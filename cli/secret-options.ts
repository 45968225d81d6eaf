// The option rows of the commands that take a secret; apart from what reads them, so that `bb help` loads nothing else.

export const SECRET_OPTIONS = [
  ['--password-stdin', 'read the secret from standard input'],
  ['--password-file <file>', 'read the secret from a file'],
  ['--password-command <command>', 'read the secret from the output of a shell command'],
  ['--password-fd <number>', 'read the secret from an open file descriptor'],
] as const;
