// What each command says and how it leaves, against a scripted daemon: text, exit code, and the same as JSON.

import assert from 'node:assert/strict';
import { access } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { DaemonClient } from '../../cli/client.ts';
import { BbError, ERRORS } from '../../src/core/errors.ts';
import type { ErrorCode } from '../../src/core/errors.ts';
import type { StatusView } from '../../src/daemon/local-api.ts';
import { BarterBackupClientService } from '../../src/gen/clirpc/v1/clirpc.ts';
import { of, PEER_VIEW, REPLICA, REVISION, STATUS, STORAGE } from '../contract/rpc-local-fixture.ts';
import { entry, folder, items, rigWith, symlink, UNLOCKED } from './rig.ts';
import { runRows } from './rows.ts';
import type { Row } from './rows.ts';

const PEER = PEER_VIEW.onionId;

const status = (fields: Partial<StatusView>) => ({
  ...UNLOCKED,
  status: async () => ({
    ...STATUS,
    jobs: [],
    forks: [],
    missingFiles: 0,
    missingNames: [],
    timeDivisor: 1,
    mode: 'normal' as const,
    ...fields,
  }),
});
const PROTECTED = status({
  verdict: 'PROTECTED',
  verifiedReplicas: 2,
  pending: false,
  provenMs: Date.now() - 120_000,
  reasons: [{ code: 'enough', message: '2 of 2 peers passed a check', next: '' }],
});
const HELD = {
  peer: PEER,
  name: 'anna',
  state: 'EXPIRED',
  chargeBytes: 3,
  promisedBytes: 9,
  currentBytes: 2,
  pullingBytes: 0,
  keptRevisions: 2,
  holdSeconds: 20,
  remainingSeconds: 0,
  evictableBytes: 1,
};
const ROWS: readonly Row[] = [
  { bb: [], daemon: PROTECTED, exit: 0, stdout: /^PROTECTED - 2 of 2 peers passed a check \(proven 2 min ago\)\n/ },
  {
    bb: ['status'],
    daemon: status({}),
    exit: 0,
    stdout: /^AT RISK - One copy\.\n {2}next: bb connect\n {2}content {3}5 files, 6 B \(revision 3\)/,
    data: { verdict: 'AT_RISK', verified_replicas: 1, min_replicas: 2, pending: true, proven: null },
  },
  {
    bb: ['status'],
    daemon: status({}),
    exit: 0,
    stdout:
      /\n {2}weakest {3}"notes\/new\.txt" and 2 more files: 0 of 2 proved copies\n {2}outlook {3}With one more peer/,
    data: { weakest: { copies: 0, files: 3, names: ['notes/new.txt'] } },
  },
  {
    bb: ['status'],
    daemon: status({ weakest: { copies: 2, files: 5, names: [] } }),
    exit: 0,
    stdout: /verified replicas[^\n]*\n {2}outlook/,
    data: { weakest: { copies: 2, files: 5, names: [] } },
  },
  {
    bb: ['status', '--check'],
    daemon: status({}),
    exit: 4,
    stdout: /^AT RISK/,
    stderr: 'error: One copy.\nhint: bb connect\n',
    data: { verdict: 'AT_RISK' },
  },
  {
    bb: ['status'],
    daemon: status({
      verdict: 'NOT_PROTECTED',
      reasons: [{ code: 'NO_CONTENT', message: 'Nothing is set to be backed up.', next: 'bb setfile PATH' }],
    }),
    exit: 0,
    stdout: /^NOTHING TO PROTECT - Nothing is set to be backed up\.\n {2}next: bb setfile PATH\n/,
    data: { verdict: 'NOT_PROTECTED' },
  },
  { bb: ['status', '--check'], daemon: PROTECTED, exit: 0, data: { verdict: 'PROTECTED' } },
  {
    bb: ['status'],
    daemon: status({ state: 'LOCKED', verdict: undefined, mode: undefined, onionId: '' }),
    exit: 0,
    stdout: /^LOCKED .*\n {2}next: bb unlock\n/,
    data: { state: 'locked', verdict: null, onion_id: null, mode: null },
  },
  {
    bb: ['status'],
    daemon: status({ replicas: [{ ...REPLICA, verified: false, checkedMs: Date.now() - 3_000, provedSequence: 2 }] }),
    exit: 0,
    stdout: / - anna: newest revision, not checked yet \(revision 2 held \d+ s ago\), acknowledged\n/,
  },
  { bb: ['status', '--check'], daemon: status({ state: 'LOCKED', verdict: undefined }), exit: 11 },
  { bb: ['status', '--wait', 'protected'], daemon: status({ state: 'NOT_INITIALISED' }), exit: 18, stderr: /events/ },
  { bb: ['status', '--wait', 'sometime'], daemon: PROTECTED, exit: 2, stderr: /--wait takes "protected" or "idle"/ },
  {
    bb: ['identity', 'show'],
    daemon: status({}),
    exit: 0,
    stdout: `bb:${STATUS.onionId}  desk\n`,
    data: { onion_id: STATUS.onionId, uri: `bb:${STATUS.onionId}`, name: 'desk' },
  },
  { bb: ['identity', 'show'], daemon: status({ state: 'LOCKED', onionId: '' }), exit: 11 },
  {
    bb: ['connect', `bb:${PEER}`, '--name', 'anna'],
    daemon: { connectPeer: async () => ({ peer: PEER_VIEW, reached: true }) },
    exit: 0,
    stdout: 'Reached anna (key exchange X25519MLKEM768).\n',
    data: { reached: true },
  },
  {
    bb: ['connect', PEER],
    daemon: { connectPeer: async () => ({ peer: { ...PEER_VIEW, connected: false }, reached: false }) },
    exit: 14,
    stderr: /^error: anna is added, but was not reached yet\nhint: /,
    data: { reached: false },
  },
  { bb: ['connect', 'bb:nobody'], exit: 2, stderr: /^error: this is not an onion id\nhint: An onion id has 56/ },
  { bb: ['connect', `${PEER.slice(0, 55)}${PEER.endsWith('d') ? 'c' : 'd'}`], exit: 2 },
  {
    bb: ['peers', 'list'],
    daemon: { peers: async () => [PEER_VIEW] },
    exit: 0,
    stdout:
      /^NAME +ONION ID +PRESENCE +REACHED +CONTRACT +ADDED BY +MARKS\nanna +[a-z2-7]{16}\.\.\. +connected +.* ACTIVE +you +pinned, unlisted\n$/,
  },
  { bb: ['peers', 'list'], daemon: { peers: async () => [] }, exit: 0, stdout: /^No peers yet/, data: { peers: [] } },
  { bb: ['peers', 'show', 'an'], daemon: { peers: async () => [PEER_VIEW] }, exit: 0, stdout: /X25519MLKEM768/ },
  { bb: ['peers', 'show', 'bob'], daemon: { peers: async () => [PEER_VIEW] }, exit: 19 },
  {
    bb: ['peers', 'show', 'a'],
    daemon: { peers: async () => [PEER_VIEW, { ...PEER_VIEW, name: 'ada' }] },
    exit: 18,
    stderr: /names more than one peer/,
  },
  {
    bb: ['listfiles'],
    daemon: {
      listFiles: () => of([folder('docs'), entry('docs/a\u001b[31m', { size: 2048 }), symlink('docs/l', '../x')]),
    },
    exit: 0,
    stdout:
      'drwxr-x---          -  2023-11-14 22:13  docs\n' +
      '-rw-r-----    2.0 KiB  2023-11-14 22:13  docs/a\\x1b[31m\n' +
      'lrwxrwxrwx          -  2023-11-14 22:13  docs/l -> ../x\n',
  },
  { bb: ['listfiles'], daemon: { listFiles: () => of() }, exit: 0, stdout: '', data: { files: [] } },
  {
    bb: ['listfiles', 'x'],
    daemon: { listFiles: () => of() },
    exit: 19,
    stderr: /^error: nothing is set as x\nhint: /,
  },
  { bb: ['getfile', 'x'], daemon: { readFiles: () => of() }, exit: 19 },
  { bb: ['getfile', 'x', 'out'], daemon: { readFiles: () => of() }, exit: 19 },
  { bb: ['rmfile', 'docs'], daemon: { removeFile: async () => ({ removedFiles: 3, revision: REVISION }) }, exit: 22 },
  {
    bb: ['rmfile', 'docs', '-y'],
    daemon: { removeFile: async () => ({ removedFiles: 3, revision: REVISION }) },
    exit: 0,
    stdout: 'docs: 3 entries removed\n',
    data: { path: 'docs', removed_files: 3, dry_run: false },
  },
  {
    bb: ['rmfile', 'docs/', '--dry-run'],
    daemon: { removeFile: async (name) => ({ removedFiles: name.toString() === 'docs' ? 1 : 0, revision: undefined }) },
    exit: 0,
    stdout: 'docs: 1 entry would be removed\n',
    data: { revision: null },
  },
  { bb: ['storage', 'show'], daemon: { storage: async () => STORAGE }, exit: 0, stdout: /min replicas +2\n/ },
  {
    bb: ['storage', 'set', '--limit', '20GiB', '--min-replicas', '2'],
    daemon: { setStorage: async (limitBytes, minReplicas) => ({ ...STORAGE, limitBytes, minReplicas }) },
    exit: 0,
    stdout: /^limit for peers +20\.0 GiB\n/,
    data: { limit_bytes: 20 * 1024 ** 3, min_replicas: 2 },
  },
  { bb: ['storage', 'set'], exit: 2, stderr: /nothing to set/ },
  {
    bb: ['storage', 'set', '--limit', '1GiB', '--break-promises', 'anna'],
    daemon: { peers: async () => [PEER_VIEW] },
    exit: 22,
    stderr: /stored for anna\?/,
  },
  { bb: ['storage', 'held'], daemon: { held: async () => [] }, exit: 0, stdout: 'Nothing is held for peers.\n' },
  {
    bb: ['storage', 'held'],
    daemon: { held: async () => [HELD] },
    exit: 0,
    stdout: /^PEER .*\nanna +EXPIRED +3 B +9 B +2 +20 s +1 B\n$/,
  },
  { bb: ['storage', 'gc', '--evict'], exit: 22 },
  {
    bb: ['storage', 'gc'],
    daemon: { collectGarbage: async () => ({ droppedRevisions: 1, freedBytes: 2048, rewrittenPacks: 2 }) },
    exit: 0,
    stdout: '1 older revision let go, 2 packs rewritten, 2.0 KiB freed.\n',
    data: { dropped_revisions: 1, rewritten_packs: 2, freed_bytes: 2048 },
  },
  { bb: ['storage', 'set', '--min-replicas', '0'], exit: 2 },
  { bb: ['storage', 'set', '--min-replicas', '33'], exit: 2 },
  { bb: ['storage', 'set', '--limit', '0'], exit: 2 },
  { bb: ['help', 'frob'], exit: 2, stderr: /^error: bb frob is no command\n/ },
  { bb: ['help', 'contracts', 'propose'], exit: 0, stdout: /^Usage: bb contracts propose .*--give/s },
  { bb: ['--version'], exit: 0, stdout: /^bb \d+\.\d+\.\d+ / },
  {
    bb: ['getfile', 'x', '-'],
    daemon: { readFiles: () => items(entry('x'), 'the bytes') },
    exit: 0,
    stdout: 'the bytes',
  },
  { bb: ['lock'], daemon: { lock: async () => undefined }, exit: 0, stdout: 'Locked.\n' },
  {
    bb: ['events'],
    daemon: {
      events: (_progress, _signal, recent) => {
        assert.equal(recent, true);
        const at = { atMs: 1_700_000_000_000, progress: undefined };
        return of(
          { ...at, sequence: 6, name: 'unlocked', attributes: { a: 'b' } },
          { ...at, sequence: 7, name: 'subscribed', attributes: {} },
          { ...at, sequence: 8, name: 'later', attributes: {} },
        );
      },
    },
    exit: 0,
    stdout: '2023-11-14T22:13:20.000Z  unlocked a=b\n',
    data: { events: 1, sequence: 7 },
  },
];

runRows(ROWS);

test('a getfile that fails leaves no empty folder', async () => {
  await using rig = await rigWith({
    readFiles: async function* () {
      yield { kind: 'entry', entry: folder('docs') };
      throw new BbError('INTEGRITY', 'damaged');
    },
  });
  assert.equal((await rig.bb(['getfile', 'docs', 'back'])).exit, ERRORS.INTEGRITY.exit);
  await assert.rejects(access(join(rig.home, 'back')), { code: 'ENOENT' });
});

test('every error of the daemon reaches bb with its code, hint and message', async () => {
  let code: ErrorCode = 'INTERNAL';
  await using rig = await rigWith({
    lock: async () => {
      throw new BbError(code, `it was ${code}`, { hint: 'Do this.' });
    },
  });
  const options = { timeoutMs: undefined, signal: new AbortController().signal };
  const client = await DaemonClient.open({ socket: join(rig.dataDir, 'sock', 'bb.sock'), ...options });
  for (code of Object.keys(ERRORS) as ErrorCode[]) {
    const message = code === 'INTERNAL' ? 'the daemon failed' : `it was ${code}`;
    await assert.rejects(client.unary(BarterBackupClientService.lock, {}), { code, message, hint: 'Do this.' });
  }
  client.close();
  code = 'OVER_BUDGET';
  const { exit, retryable } = ERRORS[code];
  const ran = await rig.bb(['lock']);
  assert.deepEqual([ran.exit, ran.stdout, ran.stderr], [exit, '', 'error: it was OVER_BUDGET\nhint: Do this.\n']);
  const error = { code, exit, message: 'it was OVER_BUDGET', hint: 'Do this.', retryable };
  assert.deepEqual((await rig.json(['lock'])).body, { v: 1, ok: false, error });
});

test('no daemon: the first steps for an unused directory, 10 and no new try, and commands that need none', async () => {
  await using rig = await rigWith();
  assert.match((await rig.bb([])).stdout, /^Welcome\./);
  const locked = await rig.bb(['listfiles']);
  assert.equal(locked.exit, 10);
  assert.equal(locked.stderr, 'error: this data directory has no identity yet\nhint: Run bb init first.\n');
  assert.equal((await rig.json(['status'])).body.error?.retryable, false);
  assert.equal((await rig.bb(['unlock', '--no-start'])).exit, 13);
  assert.equal((await rig.bb(['init', '--json', '--no-start'])).exit, 13);
  const { body } = await rig.json(['config', 'path']);
  assert.equal(body.data['data_dir'], rig.dataDir);
  assert.equal((await rig.bb(['version'])).exit, 0);
  assert.equal((await rig.bb(['help'])).exit, 0);
});

test('a data directory that was used, and a socket that nobody answers', async () => {
  await using rig = await rigWith({});
  await rig.stop();
  assert.equal((await rig.bb([])).exit, 13);
});

test('one line of JSON for a wrong command line too', async () => {
  await using rig = await rigWith();
  for (const args of [['bogus'], ['peers'], ['status', '--bogus'], ['getfile'], ['status', '--timeout', 'soon']]) {
    const { exit, body, lines } = await rig.json(args);
    assert.deepEqual([exit, body.error?.code, lines.length], [2, 'USAGE', 1], args.join(' '));
  }
});

test('a listing as JSON keeps what a name and a time are', async () => {
  const odd = Buffer.from([0x61, 0xff]);
  await using rig = await rigWith({ listFiles: () => of([entry(odd), entry('b', { sha256: Buffer.alloc(32, 1) })]) });
  const { body } = await rig.json(['listfiles']);
  const [first, second] = body.data['files'] as Record<string, unknown>[];
  assert.equal(first?.['path_b64'], 'Yf8=');
  assert.equal(first?.['path'], 'a\ufffd');
  assert.deepEqual([second?.['path'], second?.['path_b64']], ['b', undefined]);
  assert.equal(second?.['mtime'], '2023-11-14T22:13:20.123Z');
  assert.equal(second?.['mtime_ns'], '1700000000123456789');
  assert.equal(second?.['sha256'], '01'.repeat(32));
  assert.equal(second?.['mode'], '0640');
  assert.equal((body.data['files'] as unknown[]).length, 2);
});

test('a status as JSON has the names that scripts depend on', async () => {
  await using rig = await rigWith({ status: async () => STATUS });
  const { body } = await rig.json(['status']);
  assert.deepEqual(Object.keys(body.data), [
    ...['state', 'mode', 'verdict', 'reasons', 'proven', 'onion_id', 'uri', 'name', 'tor', 'revision', 'files'],
    ...[
      'file_bytes',
      'replicas',
      'verified_replicas',
      'effective_replicas',
      'forecast',
      'weakest',
      'min_replicas',
      'pending',
      'jobs',
      'transfers',
    ],
    ...['missing_files', 'forks', 'held_bytes', 'secret_mode', 'time_divisor', 'version'],
  ]);
  assert.deepEqual(body.data['reasons'], [{ code: 'few-copies', message: 'One copy.', next: 'bb connect' }]);
  assert.deepEqual((body.data['replicas'] as unknown[])[0], {
    peer: REPLICA.peer,
    name: 'anna',
    newest: true,
    verified: true,
    state: 'acknowledged',
    outcome: 'held',
    checked: '1970-01-01T00:00:00.007Z',
    held: '1970-01-01T00:00:00.008Z',
    sequence: 3,
    proved_sequence: 3,
  });
});
