// `make sim SEED=n NODES=n DAYS=n`: a society of simulated nodes, its figures as one line, and how to see the same again.

import { reportLines } from './report.ts';
import { Society } from './society.ts';

const say = (line: string): void => void process.stdout.write(`${line}\n`);

const number = (name: string, fallback: number): number => {
  const text = process.env[name] ?? '';
  const value = text === '' ? fallback : Number(text);
  if (!Number.isInteger(value) || value < 1) throw new Error(`${name} must be a whole number above 0`);
  return value;
};

const plan = {
  seed: process.env['SEED'] || '1',
  nodes: number('NODES', 20),
  days: number('DAYS', 30),
  minReplicas: number('MIN_REPLICAS', 3),
};
const society = new Society(plan);
// Where an everyday failure was thrown nobody reads, and to find it out costs more than the failure; TRACE=1 says it.
if (process.env['TRACE'] === '1') society.world.trace = say;
else Error.stackTraceLimit = 0;
/** After so long the end of the next day is said, too. */
const SILENCE_MS = 60_000;
const startedMs = performance.now();
const everyDays = Math.max(1, Math.round(plan.days / 20));

try {
  let saidMs = startedMs;
  await society.run((day) => {
    const nowMs = performance.now();
    if (day % everyDays !== 0 && nowMs - saidMs < SILENCE_MS) return;
    saidMs = nowMs;
    const { user, system } = process.cpuUsage();
    const cpuSeconds = (user + system) / 1e6;
    const speed = Math.round((day * 86_400) / cpuSeconds);
    const mebibytes = Math.round(process.memoryUsage.rss() / 1024 ** 2);
    const seconds = (nowMs - startedMs) / 1000;
    const left = Math.ceil((seconds * (plan.days - day)) / day / 60);
    const used = `${seconds.toFixed(0)} s, ${cpuSeconds.toFixed(0)} s of a core (${speed} x real time), ${mebibytes} MiB`;
    say(`day ${day} of ${plan.days}: ${used}, ${society.losses.length} losses, about ${left} min left`);
  });
  for (const line of reportLines(society)) say(line);
} catch (error) {
  say(`sim failed: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`);
  say(`event hash: ${society.world.eventHash()}`);
  say(`replay: make sim SEED=${plan.seed} NODES=${plan.nodes} DAYS=${plan.days} MIN_REPLICAS=${plan.minReplicas}`);
  process.exitCode = 1;
}
