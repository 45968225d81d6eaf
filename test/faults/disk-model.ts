// A disk as a list of steps: which bytes and names are there now, and which of them a power loss may still take. Played up
// to any step it gives the image that a killed process leaves, or, by a seed, one that a power loss leaves.
// Invariant: what was synced is in every image; everything else is kept, dropped or torn block by block, name by name.

/** Step by step what was done to the files below one folder; paths are relative to it. `file` numbers a file for ever. */
export type Step =
  | { readonly kind: 'create'; readonly path: string; readonly file: number }
  | { readonly kind: 'write'; readonly file: number; readonly at: number; readonly bytes: Buffer }
  | { readonly kind: 'truncate'; readonly file: number; readonly lengthBytes: number }
  /** What was done before step `upTo` to this file is on the disk. */
  | { readonly kind: 'sync'; readonly file: number; readonly upTo: number }
  | { readonly kind: 'rename'; readonly from: string; readonly to: string }
  | { readonly kind: 'unlink'; readonly path: string }
  | { readonly kind: 'mkdir'; readonly path: string }
  | { readonly kind: 'sync-dir'; readonly path: string; readonly upTo: number };

/** Content of a file, or undefined for a folder; by path, folders before what is in them. */
export type Image = ReadonlyMap<string, Buffer | undefined>;

/** Uniform in [0, 1). */
export type Chance = () => number;

type Name = number | 'folder';
type Change = {
  readonly at: number;
  readonly dir: string;
  readonly sets: readonly (readonly [string, Name | undefined])[];
};
type Edit = { readonly at: number } & (
  | { readonly kind: 'write'; readonly offset: number; readonly bytes: Buffer }
  | { readonly kind: 'truncate'; readonly lengthBytes: number }
);
type Content = { now: Buffer; synced: Buffer; pending: Edit[] };

const BLOCK_BYTES = 4096;
const SECTOR_BYTES = 512;
/** How likely it is that something unsynced got through; a power loss draws one of them for everything. */
const LUCK = [0, 0.1, 0.5, 0.9, 1] as const;

export class DiskModel {
  readonly #now = new Map<string, Name>();
  readonly #synced = new Map<string, Name>();
  #pending: Change[] = [];
  readonly #files = new Map<number, Content>();
  #steps = 0;

  /** Everything of `image` is on the disk; its files get the numbers 0, 1, ... in order. */
  constructor(image: Image) {
    let file = 0;
    for (const [path, bytes] of image) {
      const name = bytes === undefined ? 'folder' : file++;
      if (bytes !== undefined) this.#files.set(file - 1, { now: bytes, synced: bytes, pending: [] });
      this.#now.set(path, name);
      this.#synced.set(path, name);
    }
  }

  get steps(): number {
    return this.#steps;
  }

  get fileCount(): number {
    return this.#files.size;
  }

  fileAt(path: string): number | undefined {
    const name = this.#now.get(path);
    return name === 'folder' ? undefined : name;
  }

  isFolder(path: string): boolean {
    return this.#now.get(path) === 'folder';
  }

  /** This name, if it is there, and all below it, the deepest first. */
  namesBelow(path: string): string[] {
    const names = [...this.#now.keys()].filter((name) => name === path || name.startsWith(`${path}/`));
    return names.toSorted((a, b) => (a < b ? 1 : -1));
  }

  /** Content as a process sees it now. */
  bytesOf(file: number): Buffer {
    return this.#content(file).now;
  }

  apply(step: Step): void {
    const at = this.#steps++;
    switch (step.kind) {
      case 'create':
        this.#files.set(step.file, { now: Buffer.alloc(0), synced: Buffer.alloc(0), pending: [] });
        this.#change(at, step.path, [[step.path, step.file]]);
        break;
      case 'write':
        this.#edit(step.file, { at, kind: 'write', offset: step.at, bytes: step.bytes });
        break;
      case 'truncate':
        this.#edit(step.file, { at, kind: 'truncate', lengthBytes: step.lengthBytes });
        break;
      case 'sync': {
        const content = this.#content(step.file);
        const isAll = content.pending.every((edit) => edit.at < step.upTo);
        const done = isAll ? [] : content.pending.filter((edit) => edit.at < step.upTo);
        content.synced = isAll ? content.now : done.reduce(edited, content.synced);
        content.pending = content.pending.filter((edit) => edit.at >= step.upTo);
        break;
      }
      case 'rename': {
        const name = this.#now.get(step.from);
        this.#change(at, step.to, [
          [step.from, undefined],
          [step.to, name],
        ]);
        break;
      }
      case 'unlink':
        this.#change(at, step.path, [[step.path, undefined]]);
        break;
      case 'mkdir':
        this.#change(at, step.path, [[step.path, 'folder']]);
        break;
      case 'sync-dir':
        for (const change of this.#pending) if (isDone(change, step)) applyNames(this.#synced, change);
        this.#pending = this.#pending.filter((change) => !isDone(change, step));
        break;
    }
  }

  /** What a process that is killed now leaves behind. */
  afterKill(): Image {
    return this.#image(this.#now, (content) => content.now);
  }

  /** What a power loss may leave behind; the same chances give the same image. */
  afterPowerLoss(chance: Chance): Image {
    const luck = LUCK[Math.floor(chance() * LUCK.length)] ?? 0;
    const names = new Map(this.#synced);
    for (const change of this.#pending) if (chance() < luck) applyNames(names, change);
    return this.#image(names, (content) => survived(content, luck, chance));
  }

  #image(names: ReadonlyMap<string, Name>, bytesOf: (content: Content) => Buffer): Image {
    const image = new Map<string, Buffer | undefined>();
    for (const [path, name] of [...names].toSorted(([a], [b]) => (a < b ? -1 : 1))) {
      if (!isReachable(names, path)) continue;
      image.set(path, name === 'folder' ? undefined : bytesOf(this.#content(name)));
    }
    return image;
  }

  #content(file: number): Content {
    const content = this.#files.get(file);
    if (content === undefined) throw new Error(`the model has no file ${file}`);
    return content;
  }

  #edit(file: number, edit: Edit): void {
    const content = this.#content(file);
    content.now = edited(content.now, edit);
    content.pending.push(edit);
  }

  #change(at: number, path: string, sets: Change['sets']): void {
    const change = { at, dir: parentOf(path), sets };
    applyNames(this.#now, change);
    this.#pending.push(change);
  }
}

export function parentOf(path: string): string {
  return path.slice(0, Math.max(0, path.lastIndexOf('/')));
}

function isReachable(names: ReadonlyMap<string, Name>, path: string): boolean {
  for (let dir = parentOf(path); dir !== ''; dir = parentOf(dir)) if (names.get(dir) !== 'folder') return false;
  return true;
}

function isDone(change: Change, { path, upTo }: { readonly path: string; readonly upTo: number }): boolean {
  return change.dir === path && change.at < upTo;
}

function applyNames(names: Map<string, Name>, { sets }: Change): void {
  for (const [path, name] of sets) {
    if (name === undefined) names.delete(path);
    else names.set(path, name);
  }
}

function edited(before: Buffer, edit: Edit): Buffer {
  if (edit.kind === 'truncate') {
    return Buffer.concat([before.subarray(0, edit.lengthBytes)], edit.lengthBytes);
  }
  const after = Buffer.concat([before], Math.max(before.length, edit.offset + edit.bytes.length));
  edit.bytes.copy(after, edit.offset);
  return after;
}

/** Each block of each write on its own: there, missing, or torn between two sectors; missing ones before a later one are zeros. */
function survived({ synced, pending }: Content, luck: number, chance: Chance): Buffer {
  if (pending.length === 0) return synced;
  const ends = pending.map((edit) => (edit.kind === 'write' ? edit.offset + edit.bytes.length : edit.lengthBytes));
  const bytes = Buffer.concat([synced], Math.max(synced.length, ...ends));
  let length = synced.length;
  for (const edit of pending) {
    if (edit.kind === 'truncate') {
      if (chance() >= luck) continue;
      length = edit.lengthBytes;
      bytes.fill(0, length);
      continue;
    }
    for (let from = 0; from < edit.bytes.length; ) {
      const at = edit.offset + from;
      const block = edit.bytes.subarray(from, from + BLOCK_BYTES - (at % BLOCK_BYTES));
      const torn = SECTOR_BYTES * Math.floor(chance() * (BLOCK_BYTES / SECTOR_BYTES));
      const keptBytes = chance() < luck ? block.length : chance() < luck / 4 ? Math.min(torn, block.length) : 0;
      block.copy(bytes, at, 0, keptBytes);
      if (keptBytes > 0) length = Math.max(length, at + keptBytes);
      from += block.length;
    }
    // The new length may be known when the bytes are not.
    if (chance() < luck / 2) length = Math.max(length, edit.offset + edit.bytes.length);
  }
  return bytes.subarray(0, length);
}
