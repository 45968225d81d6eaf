// What is really so, seen from above all nodes: which copies are whole, what was told to whom, what users were promised.
// The daemon never sees any of this; the oracle compares its words with it.

import { blobCellCount } from '../../src/core/challenge/plan.ts';
import type { OnionId } from '../../src/core/ids.ts';
import type { ContractRecord, HeldRecord } from '../../src/core/records.ts';
import type { SimDisk } from './sim-disk.ts';
import type { SimNode } from './sim-node.ts';

/** Cells of a blob of `owner` that are whole on this disk, and how many it has; undefined when it is not held there. */
export function heldCells(
  disk: SimDisk,
  owner: OnionId,
  contentId: Buffer,
): { readonly whole: number; readonly cells: number } | undefined {
  const held = heldRecord(disk, owner, contentId);
  if (held === undefined) return undefined;
  const list = disk.catalog.lists.get(held.list);
  const cells = disk.catalog.held.get(owner);
  let whole = 0;
  for (let at = 0; at < held.cells; at += 1) {
    const key = list?.keys[at] ?? '';
    const position = cells?.get(key)?.position;
    const slot = position === undefined ? undefined : disk.packs.get(position.pack)?.slots[position.slot];
    if (slot?.fault === 'none' && slot.leafKey === key) whole += 1;
  }
  return { whole, cells: held.cells };
}

function heldRecord(disk: SimDisk, owner: OnionId, contentId: Buffer): HeldRecord | undefined {
  for (const { record } of disk.catalog.records.values()) {
    if (record.kind !== 'held' || record.value.owner !== owner || record.value.role === 'pulling') continue;
    if (record.value.contentId.equals(contentId)) return record.value;
  }
  return undefined;
}

/** Cells of a complete blob of `owner` that a power cut now would leave on this disk; rot of a disk is no concern here. */
export function durableCells(
  disk: SimDisk,
  owner: OnionId,
  contentId: Buffer,
): { readonly durable: number; readonly cells: number } | undefined {
  const held = heldRecord(disk, owner, contentId);
  if (held === undefined) return undefined;
  const keys = disk.catalog.lists.get(held.list)?.keys ?? [];
  const cells = disk.catalog.held.get(owner);
  const durable = keys.filter((key) => {
    const position = cells?.get(key)?.position;
    return position !== undefined && position.slot < (disk.packs.get(position.pack)?.syncedSlots ?? 0);
  });
  return { durable: durable.length, cells: held.cells };
}

/** Sequence of the newest revision of its own on this disk, 0 if there is none. */
export function ownSequence(disk: SimDisk): number {
  return Math.max(0, ...[...disk.catalog.revisions.values()].map(({ row }) => row.sequence));
}

/** Cells of the newest revision of a node. */
export function contentCells(node: SimNode): number {
  let newest = { sequence: -1, cells: 0 };
  for (const { row } of node.disk.catalog.revisions.values()) {
    if (row.sequence > newest.sequence) newest = { sequence: row.sequence, cells: blobCellCount(row) };
  }
  return newest.cells;
}

/** What this node wrote down about its contract with a peer. */
export function contractOf(node: SimNode, peer: OnionId): ContractRecord | undefined {
  for (const { record } of node.disk.catalog.records.values()) {
    if (record.kind === 'contract' && record.value.peer === peer) return record.value;
  }
  return undefined;
}
