// Sizes, durations and counts at their bounds.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { formatBytes } from '../../src/core/format-bytes.ts';
import { parseCount, parseDuration, parseSize } from '../../cli/quantity.ts';
import { formatSeconds } from '../../cli/format.ts';
import { safeLines, safeName, safeText } from '../../cli/safe-text.ts';

const MAX = Number.MAX_SAFE_INTEGER;
const refused = (parse: () => unknown): void => assert.throws(parse, { code: 'USAGE' });

test('sizes', () => {
  const table: readonly [string, number][] = [
    ['0', 0],
    ['1', 1],
    ['1b', 1],
    ['500MB', 500_000_000],
    ['20GiB', 20 * 1024 ** 3],
    [' 20 gib ', 20 * 1024 ** 3],
    ['2k', 2048],
    ['1.5GiB', 1.5 * 1024 ** 3],
    ['0.5kb', 500],
    [String(MAX), MAX],
    ['8191TiB', 8191 * 1024 ** 4],
  ];
  for (const [text, bytes] of table) assert.equal(parseSize(text), bytes, text);
  for (const text of [
    '',
    'GiB',
    '-1',
    '1e3',
    '0x10',
    '1.5',
    '0.3kib',
    '1 xb',
    '20 GiB x',
    String(MAX + 1),
    '8192TiB',
    '.5k',
  ]) {
    refused(() => parseSize(text));
  }
});

test('durations', () => {
  const table: readonly [string, number][] = [
    ['0', 0],
    ['90', 90_000],
    ['250ms', 250],
    ['2m', 120_000],
    ['1h30m', 5_400_000],
    ['30d', 30 * 86_400_000],
    ['2W', 14 * 86_400_000],
    [`${MAX}ms`.replace(String(MAX), '900719925474099'), 900_719_925_474_099],
  ];
  for (const [text, ms] of table) assert.equal(parseDuration(text), ms, text);
  for (const text of ['', 'm', '-2m', '2 m', '1.5h', '2m!', '2y', '999999999999999w', '9007199254740992ms']) {
    refused(() => parseDuration(text));
  }
});

test('counts', () => {
  assert.equal(parseCount('1', 1, 32), 1);
  assert.equal(parseCount('32', 1, 32), 32);
  for (const text of ['0', '33', '', '1.0', 'x', '-1', '1e1', '99999999999999999'])
    refused(() => parseCount(text, 1, 32));
});

test('what people read', () => {
  assert.deepEqual([0, 1023, 1024, 1536, 102_400, 1024 ** 4].map(formatBytes), [
    ...['0 B', '1023 B', '1.0 KiB', '1.5 KiB', '100 KiB', '1.0 TiB'],
  ]);
  assert.deepEqual([0, 59, 60, 3600, 3660, 172_799, 172_800].map(formatSeconds), [
    ...['0 s', '59 s', '1 min', '1 h', '1 h 1 min', '47 h 59 min', '2 d'],
  ]);
});

test('nothing that reaches a terminal can control it, and different names stay different', () => {
  const table: readonly [Buffer, string][] = [
    [Buffer.from('plain äß 漢 😀'), 'plain äß 漢 😀'],
    [Buffer.from('a\\b'), 'a\\\\b'],
    [Buffer.from('\u001b[31m\n\r\t'), '\\x1b[31m\\x0a\\x0d\\x09'],
    [Buffer.from('\u202egpj.exe'), '\\xe2\\x80\\xaegpj.exe'],
    [Buffer.from([0x61, 0xff, 0xc3]), 'a\\xff\\xc3'],
    [Buffer.from('\u2028\u0085\u007f'), '\\xe2\\x80\\xa8\\xc2\\x85\\x7f'],
  ];
  for (const [name, text] of table) assert.equal(safeName(name), text);
  assert.equal(safeText('C:\\x is \u001b[2J'), 'C:\\x is \\x1b[2J');
});

test('a message keeps its line breaks, and no further line of it starts where one of bb does', () => {
  assert.equal(safeLines('it ended:\nfirst\nhint: \u001b[2J'), 'it ended:\n  first\n  hint: \\x1b[2J');
});
