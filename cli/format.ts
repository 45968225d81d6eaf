// Counts, times and tables as people read them. Nothing here is parsed by a program: scripts read --json.

const MINUTE_SECONDS = 60;
const HOUR_SECONDS = 3600;
const DAY_SECONDS = 86_400;

/** Seconds -> "3 d", "2 h 5 min", "14 s". */
export function formatSeconds(seconds: number | bigint): string {
  const total = Math.max(0, Math.round(Number(seconds)));
  if (total >= 2 * DAY_SECONDS) return `${Math.floor(total / DAY_SECONDS)} d`;
  if (total >= HOUR_SECONDS) {
    const minutes = Math.floor((total % HOUR_SECONDS) / MINUTE_SECONDS);
    return `${Math.floor(total / HOUR_SECONDS)} h${minutes > 0 ? ` ${minutes} min` : ''}`;
  }
  if (total >= MINUTE_SECONDS) return `${Math.floor(total / MINUTE_SECONDS)} min`;
  return `${total} s`;
}

/** Unix milliseconds -> "5 min ago"; "never" for 0. */
export function formatAgo(atMs: bigint, nowMs: number): string {
  return atMs === 0n ? 'never' : `${formatSeconds((nowMs - Number(atMs)) / 1000)} ago`;
}

/** Unix milliseconds -> "2026-03-12 17:05", UTC. */
export function formatTime(atMs: bigint): string {
  return new Date(Number(atMs)).toISOString().slice(0, 16).replace('T', ' ');
}

export function formatCount(count: number | bigint, one: string, many: string): string {
  return `${count.toLocaleString('en-US')} ${BigInt(count) === 1n ? one : many}`;
}

/** Columns padded to their widest cell; the first row is the head. */
export function formatTable(rows: readonly (readonly string[])[]): string {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => (row[column] ?? '').length)));
  const line = (row: readonly string[]): string =>
    row
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join('  ')
      .trimEnd();
  return rows.map(line).join('\n');
}

/** The first letters of an onion id, enough for a person. */
export function shortId(onionId: string): string {
  return onionId.length > 16 ? `${onionId.slice(0, 16)}...` : onionId;
}
