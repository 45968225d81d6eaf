// A node whose catalog is damaged: an image of its data directory that every damage begins from, and what doctor says.

import assert from 'node:assert/strict';
import * as fs from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import type { TestContext } from 'node:test';
import type { Finding, FindingCheck } from '../../src/daemon/local-api.ts';
import { remainingOf } from '../../src/daemon/remaining.ts';
import { agree, DaemonWorld, noiseOf } from './daemon-world.ts';
import type { DaemonNode } from './daemon-node.ts';

const MIB = 1024 ** 2;

export const CATALOG_FILES = ['state.db', 'state.db-wal', 'state.db-shm'] as const;

export type Patient = {
  readonly owner: DaemonNode;
  readonly friend: DaemonNode;
  readonly world: DaemonWorld;
  /** Puts the data directory back as it was at kill -9; the owner is down afterwards. */
  readonly reset: () => Promise<void>;
  /** The owner is unlocked: everything that was acknowledged is there. */
  readonly isWhole: () => Promise<void>;
};

/**
 * Two nodes that hold each other's content, each proved. Copy and checkpoint of the owner's catalog are older than its
 * newest files and than what it holds; its journal is not. The two cannot reach each other.
 */
export async function patient(context: TestContext): Promise<Patient> {
  const [owner, friend] = await DaemonWorld.ready(context, 'owner', 'friend');
  assert(owner && friend);
  const { world } = owner;
  await Promise.all([owner, friend].map((node) => node.api.setStorage(1024 * MIB, 1)));
  await agree(owner, friend);
  await owner.setFiles({ big: noiseOf('big', MIB), note: 'before the copy' });
  await friend.setFiles({ own: noiseOf('friend', MIB) });
  const proved = () => owner.isProvedAt(friend) && friend.isProvedAt(owner);
  await world.until('both are proved', proved);
  await owner.session.deps.catalog.backup();
  checkpoint(owner);
  const copy = fs.readFileSync(join(owner.dir, 'state.bak'));
  await owner.setFiles({ note: 'after the copy', more: noiseOf('more', MIB) });
  await friend.setFiles({ own: noiseOf('friend, later', MIB) });
  await world.until('both are proved again', proved);
  const wanted = await owner.listing();
  const newest = owner.session.newest?.row.contentId;
  const remaining = remainingAt(owner, friend);
  world.cut(owner, friend);
  const image = `${owner.dir}-image`;
  fs.cpSync(owner.dir, image, { recursive: true });
  fs.writeFileSync(join(image, 'state.bak'), copy);
  return {
    owner,
    friend,
    world,
    reset: async () => {
      await owner.kill();
      owner.hooks.clear();
      fs.rmSync(owner.dir, { recursive: true, force: true });
      fs.cpSync(image, owner.dir, { recursive: true });
    },
    isWhole: async () => {
      assert.deepEqual(await owner.listing(), wanted);
      assert.equal((await owner.read('docs/note')).toString(), 'after the copy');
      assert.deepEqual(await owner.read('docs/more'), noiseOf('more', MIB));
      assert.deepEqual(owner.session.newest?.row.contentId, newest);
      assert.equal(owner.session.registry.contract(friend.id)?.state, 'ACTIVE');
      assert(remainingAt(owner, friend) >= remaining, 'a promise became shorter');
    },
  };
}

function remainingAt(owner: DaemonNode, friend: DaemonNode): number {
  return remainingOf(owner.session, owner.session.registry.contract(friend.id) ?? assert.fail('no contract'));
}

/** What `bb doctor` finds. */
export async function findings(node: DaemonNode, { fix = false, readData = false } = {}): Promise<Finding[]> {
  const found: Finding[] = [];
  for await (const update of node.api.doctor({ fix, readData }, new AbortController().signal)) {
    if (update.kind === 'finding') found.push(update.finding);
  }
  return found;
}

/** State and message of the first finding of a check. */
export async function findingOf(
  node: DaemonNode,
  check: FindingCheck,
  options: { fix?: boolean; readData?: boolean } = {},
): Promise<string> {
  const found = (await findings(node, options)).find((one) => one.check === check);
  return found === undefined ? assert.fail(`no finding about ${check}`) : `${found.state}: ${found.message}`;
}

/** Deletes files of the data directory. */
export function lose(node: DaemonNode, ...names: readonly string[]): void {
  for (const name of names) fs.rmSync(join(node.dir, name), { force: true, recursive: true });
}

export function rewrite(node: DaemonNode, name: string, change: (bytes: Buffer) => Buffer | void): void {
  const path = join(node.dir, name);
  const bytes = fs.readFileSync(path);
  fs.writeFileSync(path, change(bytes) ?? bytes);
}

export function flip(bytes: Buffer, at: number): void {
  bytes.writeUInt8(bytes.readUInt8(at) ^ 0x10, at);
}

/** The journal becomes part of state.db. */
export function checkpoint(node: DaemonNode): void {
  withDatabase(node, 'state.db', (database) => database.exec('PRAGMA wal_checkpoint(TRUNCATE)'));
}

/** Flips a byte of the first sealed row of this kind, in the file of the catalog or of its copy. */
export function flipRow(node: DaemonNode, name: 'state.db' | 'state.bak', kind: string): void {
  const value = withDatabase(node, name, (database) =>
    Buffer.from(database.prepare('SELECT value FROM sealed WHERE kind = ?').get(kind)?.['value'] as Uint8Array),
  );
  rewrite(node, name, (bytes) => {
    // Moving rows between pages leaves stale bytes behind, so the first match may be one that nobody reads.
    const places: number[] = [];
    for (let at = -1; (at = bytes.indexOf(value.subarray(0, 40), at + 1)) >= 0; ) places.push(at);
    assert(places.length > 0, 'the row is not in the file');
    for (const at of places) flip(bytes, at + 30);
  });
}

/** Where the root page of a table begins in state.db. */
export function rootPageAt(node: DaemonNode, table: string): number {
  return withDatabase(node, 'state.db', (database) => {
    const row = database.prepare('SELECT rootpage FROM sqlite_schema WHERE name = ?').get(table);
    const size = database.prepare('PRAGMA page_size').get();
    return (Number(row?.['rootpage']) - 1) * Number(size?.['page_size']);
  });
}

function withDatabase<T>(node: DaemonNode, name: string, use: (database: DatabaseSync) => T): T {
  const database = new DatabaseSync(join(node.dir, name));
  try {
    return use(database);
  } finally {
    database.close();
  }
}
