// The figures of a simulated society, as the one line that is compared between versions, and what stands above it.

import type { Society } from './society.ts';

export function reportLines(society: Society): string[] {
  const { plan, losses, world, oracle } = society;
  const lostBytes = losses.reduce((sum, { bytes }) => sum + bytes, 0);
  const repair = society.storedByteYears === 0 ? 0 : society.repairedBytes / society.storedByteYears;
  const { held, wrong, late, unreachable } = oracle.checks;
  const riders = society.freeriderShare();
  return [
    `verdicts seen: ${table(society.verdicts)}; acts that failed: ${table(society.failures)}`,
    `checks: held=${held} wrong=${wrong} late=${late} unreachable=${unreachable}; disk losses with nothing to give back: ${society.idleLosses}`,
    `recoveries: first holder ${hours(society.foundHours)}; content back ${hours(society.recoveryHours)}`,
    `free riders: ${riders.people.toFixed(1)} % of the people; ${riders.promised.toFixed(2)} % of the bytes are promised to them, ${riders.expired.toFixed(2)} % wait for whoever needs the space`,
    ...losses.map(({ owner, sequence, verdict }) => `lost: ${owner} revision ${sequence}, last verdict ${verdict}`),
    `event hash: ${world.eventHash()} (${world.events} events, ${world.time.events} timers, ${world.network.messages} messages)`,
    [
      `sim: nodes=${plan.nodes} days=${plan.days} min_replicas=${plan.minReplicas} losses=${losses.length}`,
      `lost_bytes=${lostBytes} disk_losses=${society.diskLosses} recovered=${society.recovered}`,
      `recover_p99_h=${percentile(society.recoveryHours, 0.99).toFixed(1)} repair_x=${repair.toFixed(2)}`,
      `freerider_share=${riders.promised.toFixed(2)} seed=${plan.seed}`,
    ].join(' '),
  ];
}

function hours(values: readonly number[]): string {
  const parts = [0.5, 0.99, 0.999].map((part) => `p${100 * part} ${percentile(values, part).toFixed(1)} h`);
  return `${values.length} times, ${parts.join(', ')}`;
}

function table(counts: ReadonlyMap<string, number>): string {
  return [...counts].map(([name, count]) => `${name}=${count}`).join(' ') || 'none';
}

/** The smallest value that so much of all values does not exceed; 0 for none. */
function percentile(values: readonly number[], part: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil(sorted.length * part) - 1)] ?? 0;
}
