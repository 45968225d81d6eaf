// A systemd unit for this data directory, for the user's service manager or the machine's.
// Invariant: whatever bytes a path has, systemd reads back exactly that path (systemd.service, "Command lines").

import { BbError } from '../core/errors.ts';

/** `program` is absolute; `user` is a login name or a number. The user's own service manager takes no other than its own. */
export function systemdUnit(program: string, dataDir: string, user: string): string {
  requireProgram(program);
  return `[Unit]
Description=BarterBackup daemon
After=network-online.target
Wants=network-online.target

[Service]
User=${user.replaceAll('%', '%%')}
ExecStart=${quoted(program)} --data-dir ${quoted(dataDir).replaceAll('$', '$$$$')}
Restart=on-failure
LimitCORE=0
NoNewPrivileges=yes
ProtectSystem=full
PrivateTmp=no

[Install]
WantedBy=default.target
`;
}

/** One word of a command line. "$" is doubled by the caller: systemd replaces variables in arguments, not in the program. */
function quoted(word: string): string {
  const escaped = word
    .replaceAll('%', '%%')
    .replace(/["\\]/g, '\\$&')
    .replace(/\p{Cc}/gu, (control) => `\\u${control.charCodeAt(0).toString(16).padStart(4, '0')}`);
  return `"${escaped}"`;
}

/** UNUSABLE_ENVIRONMENT for a path that systemd refuses as a program, however it is quoted. */
function requireProgram(path: string): void {
  if (!/["'\\\p{Cc}]/u.test(path)) return;
  throw new BbError('UNUSABLE_ENVIRONMENT', 'systemd takes no program with quotes or backslashes in its path', {
    hint: 'Install BarterBackup in another folder.',
  });
}
