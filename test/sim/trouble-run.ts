// `make trouble MODE=safety SEED=n RUNS=n DAYS=n`: runs of one mode or of both, each a line; a failure prints its replay.

import { livenessRun, safetyRun } from './trouble.ts';

const MODES = { safety: safetyRun, liveness: livenessRun } as const;
const { MODE = '', SEED = '', RUNS = '', DAYS = '' } = process.env;
const days = Number(DAYS || 8);
const first = SEED || '1';

for (const [mode, run] of Object.entries(MODES)) {
  if (MODE !== '' && MODE !== mode) continue;
  for (let at = 0; at < Number(RUNS || 1); at += 1) {
    const seed = at === 0 ? first : `${first}+${at}`;
    try {
      const { counts } = await run(seed, days);
      const faults = [...counts].map(([name, count]) => `${name} ${count}`).join(', ');
      process.stdout.write(`${mode} ${seed}: ok after ${faults}\n`);
    } catch (error) {
      process.stdout.write(
        `${mode} ${seed}: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`,
      );
      process.stdout.write(`replay: make trouble MODE=${mode} SEED=${seed} DAYS=${days}\n`);
      process.exitCode = 1;
    }
  }
}
