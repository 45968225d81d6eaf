// Sizes and durations as people type them ("20GiB", "500MB", "2m", "30d", "1h30m"), to bytes and milliseconds.
// Invariant: what cannot be exact (a fraction of a byte, more than 2^53 - 1) is refused, never rounded.

import { BbError } from '../src/core/errors.ts';

const SIZE_UNITS: Readonly<Record<string, number>> = {
  '': 1,
  b: 1,
  kb: 1000,
  mb: 1000 ** 2,
  gb: 1000 ** 3,
  tb: 1000 ** 4,
  k: 1024,
  m: 1024 ** 2,
  g: 1024 ** 3,
  t: 1024 ** 4,
  kib: 1024,
  mib: 1024 ** 2,
  gib: 1024 ** 3,
  tib: 1024 ** 4,
};

const DURATION_UNITS_MS: Readonly<Record<string, number>> = {
  ms: 1,
  s: 1000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
  w: 604_800_000,
};

/** Bytes; a number alone is bytes, one letter (k, m, g, t) is the binary unit. USAGE for anything else. */
export function parseSize(text: string): number {
  const match = /^(\d{1,16}(?:\.\d{1,9})?)\s*([a-z]{0,3})$/i.exec(text.trim());
  const unit = SIZE_UNITS[(match?.[2] ?? '?').toLowerCase()];
  const bytes = unit === undefined ? Number.NaN : Number(match?.[1]) * unit;
  if (!Number.isSafeInteger(bytes)) throw usage(text, 'a size', '20GiB, 500MB or 1048576');
  return bytes;
}

/** Milliseconds; a number alone is seconds, parts add up ("1h30m"). USAGE for anything else. */
export function parseDuration(text: string): number {
  const trimmed = text.trim().toLowerCase();
  const whole = /^\d{1,15}$/.test(trimmed) ? `${trimmed}s` : trimmed;
  if (!/^(?:\d{1,15}(?:ms|s|m|h|d|w))+$/.test(whole)) throw usage(text, 'a duration', '90s, 2m, 1h30m or 30d');
  let totalMs = 0;
  for (const [, amount, unit] of whole.matchAll(/(\d+)(ms|s|m|h|d|w)/g)) {
    totalMs += Number(amount) * (DURATION_UNITS_MS[unit as string] as number);
  }
  if (!Number.isSafeInteger(totalMs)) throw usage(text, 'a duration', '90s, 2m, 1h30m or 30d');
  return totalMs;
}

/** A whole number from `min` to `max`. USAGE for anything else. */
export function parseCount(text: string, min: number, max: number): number {
  const value = /^\d{1,16}$/.test(text.trim()) ? Number(text) : Number.NaN;
  if (!Number.isSafeInteger(value) || value < min || value > max) {
    throw new BbError('USAGE', `"${text}" is not a whole number from ${min} to ${max}`);
  }
  return value;
}

function usage(text: string, what: string, examples: string): BbError {
  return new BbError('USAGE', `"${text}" is not ${what}`, { hint: `Write it like ${examples}.` });
}
