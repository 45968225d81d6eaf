// Formats of version 1 are frozen: the fixtures and descriptors of that day stay as they are, and a proto that takes
// something away is noticed. What the fixtures say is tested by test/contract/frozen.test.ts.

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { cpSync, globSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';

const root = join(import.meta.dirname, '../..');
const read = (path: string): Buffer => readFileSync(join(root, path));
const listed = new Map(
  read('test/fixtures/sha256.txt')
    .toString()
    .trimEnd()
    .split('\n')
    .map((line) => line.split('  ').toReversed() as [string, string]),
);

test('no fixture and no descriptor has changed since format 1', () => {
  const frozen = globSync(['test/fixtures/v1/*', 'proto/v*.binpb'], { cwd: root });
  assert.deepEqual([...listed.keys()].toSorted(), frozen.toSorted());
  for (const [path, hash] of listed) assert.equal(createHash('sha256').update(read(path)).digest('hex'), hash, path);
});

/** What `buf breaking` says when one line of a proto is replaced. */
function breaks(context: { after: (done: () => void) => void }, file: string, line: RegExp, by: string): string {
  const copy = mkdtempSync(join(tmpdir(), 'bb-proto-'));
  context.after(() => rmSync(copy, { recursive: true }));
  cpSync(join(root, 'proto'), copy, { recursive: true });
  const text = readFileSync(join(copy, file), 'utf8');
  assert.match(text, line);
  writeFileSync(join(copy, file), text.replace(line, by));
  const done = spawnSync('buf', ['breaking', '--against', 'v1.binpb'], { cwd: copy, encoding: 'utf8' });
  return `${done.status} ${done.stdout}${done.stderr}`;
}

const BBRPC = 'bbrpc/v1/bbrpc.proto';

test('an added field breaks nothing', (context) => {
  assert.match(breaks(context, BBRPC, /(bytes onion_pubkey = 1;)/, '$1 bytes later = 900;'), /^0 $/);
});

test('a renumbered field, a method taken away and a retyped stored field are noticed', (context) => {
  assert.match(breaks(context, BBRPC, /bytes content_id = 1;/, 'bytes content_id = 99;'), /^100 .*content_id/s);
  assert.match(breaks(context, BBRPC, /rpc ReportLoss\([^;]*;/, ''), /^100 .*ReportLoss/s);
  const stored = breaks(context, 'storedpb/v1/stored.proto', /uint32 format_min = 14;/, 'string format_min = 14;');
  assert.match(stored, /^100 .*format_min/s);
});
