// make demo: the main job, end to end, before a person's eyes. Three real daemons on a private Tor network back up a
// folder, one loses its disk, and the 24 words bring everything back. Everything is done by the built bb and bbd.
// Invariant: it fails on any difference, an expensive delta, an idle storer, and on anything left running.

import assert from 'node:assert/strict';
import { closeSync, mkdirSync, openSync, readdirSync, statSync, writeSync } from 'node:fs';
import { randomBytes } from 'node:crypto';
import { join, resolve } from 'node:path';
import { countFiles, differences, readTree } from '../e2e/harness/trees.ts';
import type { Tree } from '../e2e/harness/trees.ts';
import type { TestNode } from '../e2e/harness/node.ts';
import { World } from '../e2e/harness/world.ts';
import { humanBytes, Narrator } from './narrator.ts';
import { copyCheckout, copyFolder } from './sample.ts';

/** Ten minutes become two seconds: nobody watches a demo for a day. */
const TIME_DIVISOR = 300;
const DELTA_MAX_BYTES = 1.5 * 1024 * 1024;
const EDIT_BYTES = 1024;
const CONNECT_ATTEMPTS = 10;
const EXIT_INTERRUPTED = 130;
const SHOWN_DIFFERENCES = 20;
const root = resolve(import.meta.dirname, '../..');

type Transfer = { readonly peer: string; readonly served_bytes: number; readonly recovered_bytes: number };
type Nodes = { readonly ada: TestNode; readonly ben: TestNode; readonly cara: TestNode };

const narrator = new Narrator();
const chapter = (title: string): void => narrator.chapter(title);
const say = (text: string): void => narrator.say(text);

async function main(): Promise<void> {
  console.log('BarterBackup: you store my encrypted data, I store yours, over Tor, with no server.');
  chapter('A Tor network of our own, on this machine only');
  const world = await World.create({ timeDivisor: TIME_DIVISOR });
  for (const name of ['SIGINT', 'SIGTERM'] as const) {
    process.once(name, () => void world.close().finally(() => process.exit(EXIT_INTERRUPTED)));
  }
  let line: string;
  try {
    say('five directory authorities, which are the relays too, agree on a consensus');
    say(`all periods of the protocol are divided by ${TIME_DIVISOR}, so that days pass in minutes`);
    line = await tell(world);
  } catch (error) {
    await world.close().catch((later: unknown) => console.error(String(later)));
    throw error;
  }
  await world.close();
  say('all daemons and all tors have ended');
  console.log(`\n${line}`);
}

async function tell(world: World): Promise<string> {
  const source = prepareSource(world);
  const nodes = await meetFriends(world);
  await backUp(nodes, source);
  const deltaBytes = await edit(nodes, source);
  const wanted = await readTree(source);
  const { ada } = nodes;
  chapter('The disk dies');
  await ada.kill9();
  ada.wipe();
  say(`ada's daemon was killed with SIGKILL and ${ada.dataDir} is gone`);
  const target = join(world.root, 'restored');
  const recoverSeconds = await recover(nodes, target);
  const { files, bytes } = await compare(wanted, target);
  return `demo: ok files=${files} bytes=${bytes} identical=yes delta_bytes=${deltaBytes} recover_s=${recoverSeconds.toFixed(1)}`;
}

function prepareSource(world: World): string {
  const source = join(world.root, 'documents');
  const wanted = process.env['DIR'];
  if (wanted === undefined || wanted === '') copyCheckout(root, source);
  else copyFolder(resolve(wanted), source);
  say(`what ada wants to keep: a copy of ${wanted || 'this checkout'}`);
  return source;
}

async function meetFriends(world: World): Promise<Nodes> {
  chapter('Three friends: ada, ben and cara');
  const nodes = { ada: world.node('ada'), ben: world.node('ben'), cara: world.node('cara') };
  await Promise.all(Object.values(nodes).map((node) => node.init()));
  for (const node of Object.values(nodes)) say(`bb init --generate   ${node.name}: bb:${node.onionId}`);
  const { ada, ben, cara } = nodes;
  await Promise.all([ben, cara].map((friend) => connect(friend, ada)));
  for (const friend of [ben, cara]) {
    await connect(ada, friend);
    const { peer } = await ada.data(['peers', 'show', friend.name]);
    const { key_exchange: group } = peer as { key_exchange: string | null };
    say(`bb connect           ada reached ${friend.name}; mutual TLS 1.3, key exchange ${group ?? 'unknown'}`);
  }
  return nodes;
}

/** A friend whose address Tor has not spread yet is not reached at once (exit 14): as a person would, it is tried again. */
async function connect(node: TestNode, friend: TestNode): Promise<void> {
  for (let attempt = 1; ; attempt += 1) {
    const run = await node.run(['connect', `bb:${friend.onionId}`, '--name', friend.name]);
    if (run.exit === 0) return;
    assert.ok(run.exit === 14 && attempt < CONNECT_ATTEMPTS, `bb connect ended with ${run.exit}: ${run.stderr}`);
  }
}

async function backUp({ ada, ben, cara }: Nodes, source: string): Promise<void> {
  chapter('The backup');
  await ada.data(['storage', 'set', '--min-replicas', '2']);
  say('bb storage set       ada wants two verified copies');
  const set = await ada.data(['setfile', source, '--as', 'documents']);
  const revision = set['revision'] as { sequence: number; files: number; file_bytes: number; content_bytes: number };
  const sizes = `${humanBytes(revision.file_bytes)} of files are ${humanBytes(revision.content_bytes)} sealed`;
  say(`bb setfile           ${revision.files} entries, ${sizes}, revision ${revision.sequence}`);
  for (const friend of [ben, cara]) {
    await ada.data(['contracts', 'propose', friend.name, '--give', '1GiB', '--get', '1GiB', '-y']);
    say(`bb contracts propose ${friend.name} signed: 1 GiB for 1 GiB`);
  }
  await waitProtected(ada);
  say('bb status            PROTECTED: ben and cara hold everything and have proved it');
}

function waitProtected(node: TestNode): Promise<unknown> {
  return node.data(['status', '--wait', 'protected', '--timeout', '90s']);
}

/** Changes 1 KiB in the middle of one file; returns the bytes that a storer fetched for it, at most. */
async function edit({ ada, ben, cara }: Nodes, source: string): Promise<number> {
  chapter('An edit of 1 KiB');
  const before = await transfersOf(ada);
  const file = editedFile(source);
  const handle = openSync(file, 'r+');
  writeSync(
    handle,
    randomBytes(EDIT_BYTES),
    0,
    EDIT_BYTES,
    Math.max(0, Math.floor(statSync(file).size / 2) - EDIT_BYTES),
  );
  closeSync(handle);
  const set = await ada.data(['setfile', source, '--as', 'documents']);
  const { sequence } = set['revision'] as { sequence: number };
  say(`bb setfile           ${file.slice(source.length + 1)} changed: revision ${sequence}`);
  await waitProtected(ada);
  const after = await transfersOf(ada);
  let largest = 0;
  for (const { name, onionId } of [ben, cara]) {
    const delta = (after.get(onionId)?.served_bytes ?? 0) - (before.get(onionId)?.served_bytes ?? 0);
    assert.ok(delta > 0, `${name} became PROTECTED without fetching anything`);
    assert.ok(delta <= DELTA_MAX_BYTES, `the delta to ${name} is ${delta} bytes, more than ${DELTA_MAX_BYTES}`);
    say(`bb status            PROTECTED again; ${name} fetched ${humanBytes(delta)}`);
    largest = Math.max(largest, delta);
  }
  return largest;
}

async function transfersOf(node: TestNode): Promise<Map<string, Transfer>> {
  const { transfers } = (await node.data(['status'])) as { transfers: Transfer[] };
  return new Map(transfers.map((transfer) => [transfer.peer, transfer]));
}

/** The largest file in the first level that has one: a README, a lockfile, a photograph. */
function editedFile(source: string): string {
  const queue = [source];
  for (let dir = queue.shift(); dir !== undefined; dir = queue.shift()) {
    const files: { path: string; bytes: number }[] = [];
    for (const entry of readdirSync(dir, { withFileTypes: true })) {
      const path = join(dir, entry.name);
      if (entry.isDirectory()) queue.push(path);
      else if (entry.isFile()) files.push({ path, bytes: statSync(path).size });
    }
    const [largest] = files.toSorted((a, b) => b.bytes - a.bytes);
    if (largest !== undefined && largest.bytes > 0) return largest.path;
  }
  throw new Error('the folder holds no file that could be edited');
}

/** From the words alone, with no address: the storers probe ada's onion and call in. Returns the seconds it took. */
async function recover({ ada, ben, cara }: Nodes, target: string): Promise<number> {
  chapter('Back from 24 words');
  const startSeconds = narrator.seconds;
  ada.prepare();
  await ada.initAgain('--recover');
  say('bb init --recover    the words give back the keys and the address; nothing else is known');
  mkdirSync(target);
  await ada.data(['recover', '--to', target, '-y', '--wait', '--timeout', '100s']);
  const seconds = narrator.seconds - startSeconds;
  say(`bb recover           the files are back in ${target}`);
  const transfers = await transfersOf(ada);
  for (const friend of [ben, cara]) {
    const bytes = transfers.get(friend.onionId)?.recovered_bytes ?? 0;
    say(`bb status            ${friend.name} gave ${humanBytes(bytes)} back`);
    assert.ok(bytes > 0, `${friend.name} delivered no byte of the recovery`);
  }
  return seconds;
}

async function compare(wanted: Tree, target: string): Promise<{ readonly files: number; readonly bytes: number }> {
  chapter('The comparison');
  const found = await readTree(join(target, 'documents'));
  const lines = differences(wanted, found);
  for (const line of lines.slice(0, SHOWN_DIFFERENCES)) say(line);
  assert.equal(lines.length, 0, `${lines.length} differences`);
  assert.deepEqual(readdirSync(target), ['documents'], 'something extra was restored');
  const counts = countFiles(wanted);
  say(`${counts.files} files with ${humanBytes(counts.bytes)}: bytes, modes, times and links are the same`);
  return counts;
}

try {
  await main();
} catch (error) {
  console.error(error instanceof Error ? error.stack : error);
  console.log('\ndemo: FAILED');
  process.exitCode = 1;
}
