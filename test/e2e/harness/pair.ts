// An owner and its storer with a contract, files of their own each, and what must hold of these files after every fault.

import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { agree, becomeProtected, befriend } from './friends.ts';
import { noise } from './moments.ts';
import type { TestNode } from './node.ts';
import { differences, LostFiles, readTree } from './trees.ts';
import type { Tree } from './trees.ts';
import type { World } from './world.ts';

const SMALL_FILES = 40;
const SMALL_BYTES = 3000;

/** One node with a folder that is set under a name. */
export type Keeper = {
  readonly node: TestNode;
  readonly seed: number;
  readonly source: string;
  /** Bytes that each edit writes anew. */
  readonly editBytes: number;
  edits: number;
  /** What the last acknowledged `setfile` took. */
  kept: Tree;
};

export type Pair = { readonly owner: Keeper; readonly storer: Keeper };

const SET_AS = 'papers';

export async function keeper(world: World, node: TestNode, seed: number, editBytes: number): Promise<Keeper> {
  const source = world.folder(`source-of-${node.name}`);
  const made: Keeper = { node, seed, source, editBytes, edits: 0, kept: new Map() };
  await node.init();
  edit(made);
  await setAll(made);
  return made;
}

/** Both under contract for `size` each way, and both protected by the other. */
export async function pairOf(owner: Keeper, storer: Keeper, size = '4GiB'): Promise<Pair> {
  await Promise.all([owner, storer].map(({ node }) => node.follow()));
  await befriend(owner.node, storer.node);
  await agree(owner.node, storer.node, size);
  await Promise.all([becomeProtected(owner.node, 1), becomeProtected(storer.node, 1)]);
  return { owner, storer };
}

/** New bytes in the large file and in one small one; one more small file. */
export function edit(keeperOf: Keeper): void {
  const { node, seed, source, editBytes } = keeperOf;
  const edits = ++keeperOf.edits;
  const small = join(source, 'small');
  mkdirSync(small, { recursive: true });
  for (let at = edits === 1 ? 0 : SMALL_FILES; at < SMALL_FILES; at += 1) {
    writeFileSync(join(small, `note-${at}`), noise(seed, `${node.name}/note/${at}`, SMALL_BYTES));
  }
  writeFileSync(join(source, 'large'), noise(seed, `${node.name}/large/${edits}`, editBytes));
  writeFileSync(join(small, `note-${edits % SMALL_FILES}`), noise(seed, `${node.name}/again/${edits}`, SMALL_BYTES));
  writeFileSync(join(small, `more-${edits}`), noise(seed, `${node.name}/more/${edits}`, SMALL_BYTES));
}

/** Acknowledged from here on. */
export async function setAll(keeperOf: Keeper): Promise<void> {
  await keeperOf.node.data(['setfile', keeperOf.source, '--as', SET_AS]);
  keeperOf.kept = await readTree(keeperOf.source);
}

export function runSet(keeperOf: Keeper): Promise<{ readonly exit: number }> {
  return keeperOf.node.run(['setfile', keeperOf.source, '--as', SET_AS, '--json']);
}

/** The daemon gives back exactly one of `allowed`, name by name and byte by byte; returns which. */
export async function requireOneOf({ node }: Keeper, ...allowed: readonly Tree[]): Promise<Tree> {
  const out = join(node.dataDir, '..', `out-of-${node.name}`);
  try {
    await node.data(['getfile', SET_AS, out]);
    const found = await readTree(out);
    const all = allowed.map((tree) => differences(tree, found));
    const at = all.findIndex((lines) => lines.length === 0);
    const tree = allowed[at];
    if (tree === undefined) throw new LostFiles(`${node.name}: ${all.map((lines) => lines[0]).join('; ')}`);
    return tree;
  } finally {
    rmSync(out, { recursive: true, force: true });
  }
}
