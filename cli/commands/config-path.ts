// bb config path: works without a daemon.

import type { Context } from '../context.ts';
import { formatTable } from '../format.ts';
import type { Result } from '../output.ts';

export function run({ paths }: Context): Promise<Result> {
  const data = {
    config_file: paths.configFile,
    data_dir: paths.dataDir,
    socket: paths.socket,
    log_file: paths.logFile,
  };
  const rows = Object.entries(data).map(([key, path]) => [key.replace('_', ' '), path]);
  return Promise.resolve({ data, text: formatTable(rows) });
}
