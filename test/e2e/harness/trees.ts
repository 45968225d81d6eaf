// Folders as values: what must come back, file by file, and how two of them differ.

import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { lstat, readdir, readlink } from 'node:fs/promises';
import { join } from 'node:path';

export type TreeEntry = {
  readonly kind: 'file' | 'folder' | 'symlink' | 'other';
  /** Permission bits. */
  readonly mode: number;
  readonly mtimeNs: bigint;
  readonly bytes: number;
  /** SHA-256 of a file in hex; target of a link. */
  readonly content: string;
};

export type Tree = ReadonlyMap<string, TreeEntry>;

/**
 * Node sets times as a floating number of seconds, which holds a date of this century to a quarter of a microsecond; a time
 * that differs by less than this is equal (docs/limits.md).
 */
const MTIME_SLACK_NS = 1000n;

/** Every entry below `dir`, the folder itself left out, by its path relative to it. */
export async function readTree(dir: string): Promise<Tree> {
  const tree = new Map<string, TreeEntry>();
  const walk = async (below: string): Promise<void> => {
    for (const name of await readdir(join(dir, below))) {
      const path = below === '' ? name : `${below}/${name}`;
      const entry = await readEntry(join(dir, path));
      tree.set(path, entry);
      if (entry.kind === 'folder') await walk(path);
    }
  };
  await walk('');
  return tree;
}

async function readEntry(path: string): Promise<TreeEntry> {
  const stat = await lstat(path, { bigint: true });
  const common = { mode: Number(stat.mode & 0o7777n), mtimeNs: stat.mtimeNs };
  if (stat.isSymbolicLink()) return { ...common, kind: 'symlink', bytes: 0, content: await readlink(path) };
  if (stat.isDirectory()) return { ...common, kind: 'folder', bytes: 0, content: '' };
  if (!stat.isFile()) return { ...common, kind: 'other', bytes: 0, content: '' };
  return { ...common, kind: 'file', bytes: Number(stat.size), content: await sha256Of(path) };
}

async function sha256Of(path: string): Promise<string> {
  const hash = createHash('sha256');
  for await (const bytes of createReadStream(path, { highWaterMark: 1 << 20 })) hash.update(bytes as Buffer);
  return hash.digest('hex');
}

/** What was acknowledged does not come back as it was. */
export class LostFiles extends Error {}

/** One line per difference: missing, extra, or what of it differs. */
export function differences(wanted: Tree, found: Tree): string[] {
  const lines: string[] = [];
  for (const [path, want] of wanted) {
    const have = found.get(path);
    if (have === undefined) lines.push(`${path}: missing`);
    else lines.push(...entryDifferences(path, want, have));
  }
  for (const path of found.keys()) if (!wanted.has(path)) lines.push(`${path}: extra`);
  return lines;
}

function entryDifferences(path: string, want: TreeEntry, have: TreeEntry): string[] {
  if (want.kind !== have.kind) return [`${path}: ${have.kind} instead of ${want.kind}`];
  const lines: string[] = [];
  if (want.bytes !== have.bytes || want.content !== have.content) lines.push(`${path}: other content`);
  if (want.mode !== have.mode) lines.push(`${path}: mode ${have.mode.toString(8)} instead of ${want.mode.toString(8)}`);
  const drift = want.mtimeNs - have.mtimeNs;
  if (drift >= MTIME_SLACK_NS || drift <= -MTIME_SLACK_NS) lines.push(`${path}: mtime differs by ${drift} ns`);
  return lines;
}

/** Regular files and links, as a person counts them; folders are not counted. */
export function countFiles(tree: Tree): { readonly files: number; readonly bytes: number } {
  const files = [...tree.values()].filter(({ kind }) => kind !== 'folder');
  return { files: files.length, bytes: files.reduce((sum, { bytes }) => sum + bytes, 0) };
}
