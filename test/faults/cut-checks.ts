// What must be true of a data directory after any cut, asked of a node that has just been unlocked on it.
// Invariant: every check says what it found, in words; an empty list is a pass.

import { createHash } from 'node:crypto';
import fs from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { blobCellCount } from '../../src/core/challenge/plan.ts';
import { ENTRY_KIND } from '../../src/core/content/entry.ts';
import { HASH_BYTES, leafHash } from '../../src/core/content/merkle.ts';
import type { HeldRecord } from '../../src/core/records.ts';
import { remainingOf } from '../../src/daemon/remaining.ts';
import { packNumber, slotAt } from '../../src/storage/packs/pack-format.ts';
import type { DaemonNode } from '../contract/daemon-node.ts';

const STORES = { own: 1, peers: 2 } as const;

/** Name -> SHA-256 of every file as it is given back. */
export async function filesOf(node: DaemonNode): Promise<Map<string, string>> {
  const files = new Map<string, string>();
  let name: string | undefined;
  let hash = createHash('sha256');
  const flush = () => {
    if (name !== undefined) files.set(name, hash.digest('hex'));
    hash = createHash('sha256');
  };
  for await (const item of node.api.readFiles(Buffer.alloc(0))) {
    if (item.kind === 'data') {
      hash.update(item.bytes);
      continue;
    }
    flush();
    name = item.entry.kind === ENTRY_KIND.FILE ? item.entry.path.toString('latin1') : undefined;
  }
  flush();
  return files;
}

/** A locked data directory: the catalog is sound as SQLite sees it. */
export function catalogFaults(dir: string): string[] {
  const path = join(dir, 'state.db');
  if (!fs.existsSync(path)) return [];
  const db = new DatabaseSync(path);
  try {
    const [row] = db.prepare('PRAGMA integrity_check').all();
    return row?.['integrity_check'] === 'ok' ? [] : [`the catalog: ${JSON.stringify(row)}`];
  } finally {
    db.close();
  }
}

/** Every cell of the newest revision and of everything held is where the catalog says, and is what it should be. */
export async function cellFaults(node: DaemonNode): Promise<string[]> {
  const { newest, registry, deps, self } = node.session;
  const faults: string[] = [];
  const blobCells = newest === undefined ? 0 : blobCellCount(newest.row);
  for (let cell = 0; cell < blobCells; cell++) {
    if (newest === undefined || (await deps.workers.sealCell(self, newest.row.contentId, cell)) !== undefined) continue;
    faults.push(`own cell ${cell} of ${blobCells} is damaged`);
  }
  for (const { id, value } of registry.held()) {
    if (value.list < 0) continue;
    try {
      faults.push(...(await node.session.cellsLock.run(() => listFaults(node, value))));
    } catch (error) {
      // The node lives: what it let go of meanwhile has no cells any more.
      if (registry.held().some((held) => held.id === id && held.value.list === value.list)) throw error;
    }
  }
  return faults;
}

async function listFaults(node: DaemonNode, value: HeldRecord): Promise<string[]> {
  const { deps, cells } = node.session;
  const faults: string[] = [];
  const leaves = await deps.catalog.heldLeaves(value.list, 0, value.cells);
  const positions = await deps.catalog.heldPositions(value.list, 0, value.cells);
  for (const [cell, position] of positions.entries()) {
    if (position === undefined) {
      if (value.role !== 'pulling') faults.push(`cell ${cell} of a ${value.role} blob is missing`);
      continue;
    }
    const leaf = leafHash(await cells.read(position));
    if (leaf.equals(leaves.subarray(cell * HASH_BYTES, (cell + 1) * HASH_BYTES))) continue;
    faults.push(`cell ${cell} of a ${value.role} blob is damaged`);
  }
  return faults;
}

/** What takes space and nobody needs: files that no mark names, lists without a record, revisions that nobody holds. */
export function orphans(node: DaemonNode): Promise<string[]> {
  const { contentLock, cellsLock } = node.session;
  return contentLock.run(() => cellsLock.run(() => orphansNow(node)));
}

async function orphansNow(node: DaemonNode): Promise<string[]> {
  const { registry, deps, node: record, newest } = node.session;
  const found: string[] = [];
  for (const name of fs.readdirSync(node.dir)) if (name.endsWith('.new')) found.push(name);
  for (const name of fs.readdirSync(join(node.dir, 'tmp'))) {
    if (!name.startsWith('recovery-') || record.mode === 'normal') found.push(`tmp/${name}`);
  }
  for (const store of ['own', 'peers'] as const) {
    const marks = new Map((await deps.catalog.marks(store)).map(({ pack, slots }) => [pack, slots]));
    for (const name of fs.readdirSync(join(node.dir, store))) {
      const slots = marks.get(packNumber(name) ?? -1);
      if (slots === undefined && record.mode === 'normal') found.push(`${store}/${name} has no mark`);
    }
  }
  const lists = registry.held().filter(({ value }) => value.list >= 0);
  // What a storer holds or proved last, and what is about to be dropped: the node lives, and proofs come in.
  const stored = registry.contracts().flatMap(({ replica: { lists, proved } }) => [...lists, proved]);
  const ids = [newest?.row.contentId ?? Buffer.alloc(0), ...stored, ...record.forks, ...node.session.superseded];
  const needed = new Set(ids.map((id) => id.toString('hex')));
  let kept = 0;
  for (const id of needed) if ((await deps.catalog.revision(Buffer.from(id, 'hex'))) !== undefined) kept += 1;
  const owners = new Set(lists.map(({ value }) => value.owner));
  let heldCells = 0;
  for (const owner of owners) {
    const own = lists.filter(({ value }) => value.owner === owner).map(({ value }) => value.list);
    heldCells += await deps.catalog.heldDistinctCells(own);
  }
  const count = (table: string, expected: number) => {
    const rows = countRows(node.dir, `SELECT count(*) AS n FROM ${table}`);
    if (rows !== expected) found.push(`${rows} rows of ${table}, ${expected} are needed`);
  };
  count('held_list', lists.length);
  count('held_cell', heldCells);
  count('revision', kept);
  return found;
}

/** Marks and packs agree: every pack is as long as its mark says, and every known cell lies below a mark. */
export function markFaults(dir: string): string[] {
  const db = new DatabaseSync(join(dir, 'state.db'), { readOnly: true });
  try {
    const faults: string[] = [];
    for (const [store, number] of Object.entries(STORES)) {
      for (const { pack, slots } of db.prepare('SELECT pack, slots FROM mark WHERE store = ?').all(number)) {
        const size = fs.statSync(join(dir, store, `pack-${Number(pack)}`), { throwIfNoEntry: false })?.size ?? 0;
        if (size < slotAt(Number(slots))) faults.push(`${store}/pack-${Number(pack)} is shorter than its mark`);
      }
      const table = store === 'own' ? 'cell' : 'held_cell';
      const above = db
        .prepare(
          `SELECT count(*) AS n FROM ${table} c LEFT JOIN mark m ON m.store = ? AND m.pack = c.pack
           WHERE c.pack IS NOT NULL AND (m.slots IS NULL OR c.slot >= m.slots)`,
        )
        .get(number);
      if (above?.['n'] !== 0) faults.push(`${Number(above?.['n'])} cells of ${store} lie above their mark`);
    }
    return faults;
  } finally {
    db.close();
  }
}

/** What one node was told by another is still so: a revision that was acknowledged is held, no promise has shrunk. */
export function promiseFaults(owner: DaemonNode, storer: DaemonNode, wasGone: boolean): string[] {
  const faults: string[] = [];
  const contract = owner.session.registry.contract(storer.id);
  const theirs = storer.session.registry.contract(owner.id);
  if (contract === undefined) return [];
  const { acknowledged } = contract.replica;
  const held = storer.session.registry.heldOf(owner.id).filter(({ value }) => value.role !== 'pulling');
  if (acknowledged.length > 0 && !held.some(({ value }) => value.contentId.equals(acknowledged))) {
    faults.push(`${storer.name} does not hold what ${owner.name} was told it holds`);
  }
  if (theirs === undefined) return [...faults, `${storer.name} forgot the contract with ${owner.name}`];
  const remaining = remainingOf(storer.session, theirs);
  // Of an owner that was gone remaining seconds run out, and must.
  if (theirs.ledger.slopePermille >= 0 && !wasGone && remaining < contract.ourRemainingSeconds) {
    faults.push(`${storer.name} promised ${contract.ourRemainingSeconds} s to ${owner.name}, now ${remaining} s`);
  }
  return faults;
}

function countRows(dir: string, text: string): number {
  const db = new DatabaseSync(join(dir, 'state.db'), { readOnly: true });
  try {
    return Number(db.prepare(text).get()?.['n']);
  } finally {
    db.close();
  }
}
