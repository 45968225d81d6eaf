// bb against the built daemon, without Tor: what works locally works, and what needs Tor says so. One node, one story.

import assert from 'node:assert/strict';
import { lstat, mkdir, readFile, stat, symlink, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { DaemonClient } from '../../cli/client.ts';
import { BarterBackupClientService } from '../../src/gen/clirpc/v1/clirpc.ts';
import { rigWith } from './rig.ts';
import type { Rig } from './rig.ts';

const NO_TOR = '[tor]\nbinary = "/does/not/exist/tor"\n';
const rig = await rigWith();
const KIT = ['--password-file', 'kit'];

/** Ends the daemon of a node as a service manager would, and waits until its socket is gone. */
async function stopDaemon({ dataDir }: Pick<Rig, 'dataDir'>): Promise<void> {
  const socket = join(dataDir, 'sock', 'bb.sock');
  const { signal } = new AbortController();
  const client = await DaemonClient.open({ socket, timeoutMs: undefined, signal }).catch(() => undefined);
  if (client === undefined) return;
  const { pid } = await client.unary(BarterBackupClientService.localHealthCheck, {});
  // The stream ends when the daemon does.
  const events = client.stream(BarterBackupClientService.events, { progress: false });
  await events.next();
  process.kill(pid, 'SIGTERM');
  for (;;) if ((await events.next().catch(() => ({ done: true }))).done) break;
  client.close();
  while (processRuns(pid)) await new Promise((resolve) => setImmediate(resolve));
}

function processRuns(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

async function says(args: readonly string[], exit: number, wanted: RegExp, input?: string): Promise<void> {
  const ran = await rig.bb(args, input === undefined ? {} : { input });
  assert.equal(ran.exit, exit, `bb ${args.join(' ')}: ${ran.stdout}${ran.stderr}`);
  assert.match(`${ran.stdout}${ran.stderr}`, wanted);
}

before(async () => {
  await mkdir(rig.dataDir, { mode: 0o700 });
  await writeFile(join(rig.dataDir, 'config.toml'), NO_TOR);
  await mkdir(join(rig.home, 'docs/sub'), { recursive: true });
  await writeFile(join(rig.home, 'docs/a.txt'), 'alpha\n', { mode: 0o600 });
  await writeFile(join(rig.home, 'docs/sub/run'), '#!/bin/sh\n', { mode: 0o755 });
  await writeFile(join(rig.home, 'docs/sub/big'), Buffer.alloc(700_000, 'words and more words '));
  await utimes(join(rig.home, 'docs/a.txt'), 1_600_000_000.5, 1_600_000_000.5);
  await symlink('../a.txt', join(rig.home, 'docs/sub/link'));
});
after(async () => {
  await stopDaemon(rig);
  await rig[Symbol.asyncDispose]();
});

test('init starts the daemon in the background and writes the kit', async () => {
  await says(['init', '--no-start', '--kit-file', 'kit'], 13, /no daemon runs/);
  await says(['init', '--kit-file', 'kit', '--name', 'desk'], 0, /Your address: bb:[a-z2-7]{56}\n/);
  assert.equal((await readFile(join(rig.home, 'kit'), 'utf8')).trim().split(' ').length, 24);
  assert.equal((await stat(join(rig.home, 'kit'))).mode & 0o777, 0o600);
  await says(['init', '--json'], 18, /"ALREADY_INITIALISED"/);
  const { body } = await rig.json(['identity', 'show']);
  assert.equal(body.data['name'], 'desk');
  await says([], 0, /^NOTHING TO PROTECT - /);
});

test('files go in and come back as they were', async () => {
  await says(['setfile', 'docs'], 0, /^docs: 4 entries new or changed, 0 removed; .* in revision 1\n/);
  await says(['setfile', 'docs'], 0, /^docs: unchanged/);
  const listed = await rig.json(['listfiles', 'docs']);
  const names = (listed.body.data['files'] as { path: string }[]).map(({ path }) => path);
  assert.deepEqual(names, ['docs', 'docs/a.txt', 'docs/sub', 'docs/sub/big', 'docs/sub/link', 'docs/sub/run']);
  await says(['getfile', 'docs', 'back'], 0, /^3 files, .* written to back\n/);
  for (const name of ['', 'a.txt', 'sub', 'sub/big', 'sub/link', 'sub/run']) {
    const [was, is] = await Promise.all(
      ['docs', 'back'].map((top) => lstat(join(rig.home, top, name), { bigint: true })),
    );
    assert.equal(is?.mode, was?.mode, name);
    const off = (is?.mtimeNs ?? 0n) - (was?.mtimeNs ?? 0n);
    assert.ok(off > -1000n && off < 1000n, `${name} is off by ${off} ns`);
  }
  const bytes = await Promise.all(['docs', 'back'].map((top) => readFile(join(rig.home, top, 'sub/big'))));
  assert.ok(bytes[0]?.equals(bytes[1] as Buffer));
  await says(['getfile', 'docs', 'back'], 18, /exists already/);
  await says(['getfile', 'docs/a.txt'], 0, /^alpha\n$/);
});

test('standard input, removal, and names that may not be', async () => {
  await says(['setfile', '--stdin', '--as', 'notes/today'], 0, /in revision 2\n/, 'dear diary');
  await says(['getfile', 'notes/today'], 0, /^dear diary$/);
  await says(['rmfile', 'notes', '--dry-run'], 0, /1 entry would be removed/);
  await says(['rmfile', 'notes', '-y'], 0, /1 entry removed/);
  await says(['getfile', 'notes/today', 'x'], 19, /hint: /);
  for (const name of ['/absolute', '../up', 'a/../b', 'a//b', '.']) {
    await says(['setfile', 'docs', '--as', name], 2, /error: the name /);
  }
  await says(['setfile', 'nowhere'], 19, /no such file/);
});

test('locked: 11; the wrong secret: 12; the right one: 0', async () => {
  await says(['lock'], 0, /Locked/);
  await says(['listfiles'], 11, /error: .*locked/);
  await says(['status'], 0, /^LOCKED/);
  await says(['status', '--wait', 'protected'], 11, /hint: Run bb unlock first/);
  await says(['unlock', '--password-stdin'], 12, /error: /, 'not the words');
  await says(['unlock', ...KIT], 0, /^Unlocked\. /);
  await says(['unlock'], 0, /unlocked already/);
});

test('peers and contracts without Tor say what is missing', async () => {
  const { body } = await rig.json(['identity', 'show']);
  await says(['connect', String(body.data['uri'])], 18, /your own/);
  await says(['connect', 'bb:aaaa'], 2, /not an onion id/);
  await says(['peers', 'list'], 0, /No peers yet/);
  await says(['contracts', 'list'], 0, /No contracts yet/);
  await says(['contracts', 'show', 'nobody'], 19, /error: /);
  await says(['contracts', 'propose', 'nobody', '--give', '1GiB', '-y'], 19, /error: /);
  await says(['storage', 'set', '--limit', '500MB', '--min-replicas', '2'], 0, /477 MiB/);
  await says(['status', '--check'], 4, /^NOT PROTECTED/);
  await says(['status', '--wait', 'protected', '--timeout', '300ms'], 20, /hint: The job goes on/);
});

test('a restart finds everything: unlock starts the daemon again', async () => {
  await stopDaemon(rig);
  await says(['listfiles'], 13, /no daemon runs/);
  await says([], 13, /hint: Start it with bb unlock/);
  await says(['unlock', '--no-start', ...KIT], 13, /no daemon runs/);
  await says(['unlock', ...KIT], 0, /Started the daemon in the background/);
  await says(['listfiles'], 0, /docs\/sub\/run\n/);
  await says(['storage', 'show'], 0, /min replicas +2\n/);
});

test('a daemon that cannot start is shown with the end of its log', async () => {
  await using other = await rigWith();
  await mkdir(other.dataDir, { mode: 0o700 });
  await writeFile(join(other.dataDir, 'config.toml'), 'bogus = 1\n');
  const ran = await other.bb(['init', '--json']);
  assert.equal(ran.exit, 13);
  assert.match(ran.stdout, /"code":"DAEMON_NOT_RUNNING".*exit 2.*config\.toml.*bogus/);
});

test('a password of your own: the gate, then an identity that its account name changes', async () => {
  await using other = await rigWith();
  await mkdir(other.dataDir, { mode: 0o700 });
  await writeFile(join(other.dataDir, 'config.toml'), NO_TOR);
  const own = ['init', '--own-password', '--account', 'ada', '--password-stdin'];
  try {
    assert.equal((await other.bb(own, { input: 'password1' })).exit, 2);
    const made = await other.json(own, { input: 'tumbling-otters 47 read Proust backwards\n' });
    assert.equal(made.exit, 0, JSON.stringify(made.body));
    await other.bb(['lock']);
    assert.equal((await other.bb(['unlock', '--password-stdin'], { input: 'password1' })).exit, 12);
    const input = 'tumbling-otters 47 read Proust backwards';
    const again = await other.json(['unlock', '--password-stdin'], { input });
    assert.equal(again.body.data['onion_id'], made.body.data['onion_id']);
  } finally {
    await stopDaemon(other);
  }
});
