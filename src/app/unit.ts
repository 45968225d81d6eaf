// A systemd unit for this data directory.

export function systemdUnit(program: string, dataDir: string): string {
  return `[Unit]
Description=BarterBackup daemon
After=network-online.target
Wants=network-online.target

[Service]
ExecStart=${program} --data-dir ${dataDir}
Restart=on-failure
LimitCORE=0
NoNewPrivileges=yes
ProtectSystem=full
PrivateTmp=no

[Install]
WantedBy=default.target
`;
}
