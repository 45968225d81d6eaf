// What the plays have in common: an owner whose content is proved, and what can be seen of a copy.

import assert from 'node:assert/strict';
import * as fs from 'node:fs';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { CELL_BYTES, PACK_HEADER_BYTES, PACK_SLOT_BYTES } from '../../src/core/limits.ts';
import type { DownloadRequest } from '../../src/ports/peer-client.ts';
import type { DaemonNode } from '../contract/daemon-node.ts';
import { agree, DaemonWorld, noiseOf } from '../contract/daemon-world.ts';

export const NONE = Buffer.alloc(0);
export const MIB = 1024 ** 2;
export const HOUR = 3600;
export const DAY = 24 * HOUR;

/** An owner and storers in contract with it, all in a revision, with as many copies wanted as there are storers. */
export async function contracted(context: TestContext, ...names: string[]) {
  const [owner, ...storers] = await DaemonWorld.ready(context, 'owner', ...names);
  assert(owner);
  await owner.api.setStorage(0, storers.length);
  for (const storer of storers) await agree(owner, storer);
  await owner.world.until('contracts', () => storers.every((storer) => owner.isProvedAt(storer)));
  return { owner, storers, world: owner.world };
}

/** The same with content of `bytes` bytes that every storer proved. */
export async function proved(context: TestContext, bytes: number, ...names: string[]) {
  const stage = await contracted(context, ...names);
  const { owner, storers, world } = stage;
  await owner.setFiles({ big: noiseOf('big', bytes) });
  await world.until('proved', () => storers.every((storer) => owner.isProvedAt(storer)));
  return stage;
}

export const newestId = (owner: DaemonNode): Buffer => owner.session.newest?.row.contentId ?? NONE;
export const stateAt = (node: DaemonNode, peer: DaemonNode): string =>
  node.session.registry.contract(peer.id)?.state ?? 'none';

/** What the owner thinks of its copy at a storer. */
export async function copyAt(owner: DaemonNode, storer: DaemonNode) {
  const { verdict = 'NOT_PROTECTED' } = await owner.api.status();
  const integrity = owner.session.registry.contract(storer.id)?.conduct.integrity ?? 0;
  return { verdict, state: stateAt(owner, storer), proved: owner.isProvedAt(storer), trusted: integrity > 0.9 };
}

/** Counted seconds pass, and a tick. */
export async function later(node: DaemonNode, seconds: number): Promise<void> {
  await node.session.registry.updateNode((old) => {
    const record = old ?? assert.fail('no node record');
    return { ...record, countedSeconds: record.countedSeconds + seconds };
  });
  await node.session.tasks.tick(node.session, node.id, new AbortController().signal);
}

/** Every byte of these cells of what the storer holds for the owner is another one, or what it was again. */
export async function invertHeld(storer: DaemonNode, owner: DaemonNode, cells: readonly number[]): Promise<void> {
  const list = storer.holdsFor(owner)?.list ?? assert.fail('nothing is held');
  for (const cell of cells) {
    const [position] = await storer.session.deps.catalog.heldPositions(list, cell, 1);
    const { pack, slot } = position ?? assert.fail('no such cell');
    const file = fs.openSync(join(storer.dir, 'peers', `pack-${pack}`), 'r+');
    const at = PACK_HEADER_BYTES + slot * PACK_SLOT_BYTES;
    const bytes = Buffer.alloc(CELL_BYTES);
    fs.readSync(file, bytes, 0, CELL_BYTES, at);
    fs.writeSync(
      file,
      bytes.map((byte) => byte ^ 255),
      0,
      CELL_BYTES,
      at,
    );
    fs.closeSync(file);
  }
}

/** The storer loses these cells, tells nobody, and answers challenges with what lies in their places. */
export async function dropSilently(storer: DaemonNode, owner: DaemonNode, cells: readonly number[]): Promise<void> {
  storer.changes.set('damagedHeld', () => Promise.resolve([]));
  await invertHeld(storer, owner, cells);
  storer.answers.challenge = async (caller, question) => {
    const held = storer.holdsFor(owner) ?? assert.fail('nothing is held');
    const { mac, blocksRead } = await storer.session.deps.workers.proveMac(question, caller, held.list, held.cells);
    return { mac, blocksRead };
  };
}

export const wholeBlob = (contentId: Buffer): DownloadRequest => ({
  contentId,
  offset: 0,
  length: 0,
  referenceContentId: NONE,
  repair: false,
  leaves: false,
});

/** How many whole raw cells `from` gets of `at`, or what it is refused with. */
export async function fetched(from: DaemonNode, at: DaemonNode, request: DownloadRequest): Promise<number | string> {
  let bytes = 0;
  try {
    for await (const section of from.session.client.download(at.id, request, 1)) {
      if (section.kind === 'raw') bytes += section.bytes.length;
    }
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
  return bytes / CELL_BYTES;
}
