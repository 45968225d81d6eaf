// Any sequence of changes to the file set, through real threads, packs and catalog, reads back as a plain model says:
// a map from names to what they hold.

import assert from 'node:assert/strict';
import * as fs from 'node:fs';
import { test } from 'node:test';
import fc from 'fast-check';
import { ENTRY_KIND } from '../../src/core/content/entry.ts';
import { compareNames, isAtOrBelow } from '../../src/core/content/path.ts';
import { isBbError } from '../../src/core/errors.ts';
import { noise } from '../contract/noise.ts';
import { World } from '../contract/workers-world.ts';
import type { ReadFile } from '../contract/workers-world.ts';

/** 'folder', a link's target, or a file's bytes; names in latin1. */
type Held = { readonly folder: true } | { readonly link: string } | { readonly bytes: Buffer };
type Model = Map<string, Held>;
type Tree = readonly { readonly path: string; readonly held: Held }[];
type Change =
  | { readonly kind: 'tree'; readonly name: string; readonly tree: Tree }
  | { readonly kind: 'file'; readonly name: string; readonly bytes: Buffer }
  | { readonly kind: 'stream'; readonly name: string; readonly bytes: Buffer }
  | { readonly kind: 'remove'; readonly name: string };

/** Components that stress order and escaping: "/" sorts below every byte, so "a.b" must follow "a/...". */
const component = fc.constantFrom('a', 'b', 'a.b', 'a b', 'a\x01', '\xff\xfe', 'A', ' ', '-', 'c\nd', '.x');
const name = fc.array(component, { minLength: 1, maxLength: 3 }).map((parts) => parts.join('/'));
const bytes = fc
  .tuple(fc.constantFrom(0, 1, 8191, 8192, 8193, 70_000, 131_063, 131_064, 300_000), fc.integer({ min: 1, max: 4 }))
  .map(([length, seed]) => (seed === 4 ? Buffer.alloc(length, 'text ') : noise(length, seed)));
const held: fc.Arbitrary<Held> = fc.oneof(
  { weight: 4, arbitrary: bytes.map((value) => ({ bytes: value })) },
  { weight: 1, arbitrary: fc.constant({ folder: true as const }) },
  { weight: 1, arbitrary: component.map((link) => ({ link })) },
);
const tree: fc.Arbitrary<Tree> = fc.array(fc.record({ path: name, held }), { maxLength: 6 });
const change: fc.Arbitrary<Change> = fc.oneof(
  fc.record({ kind: fc.constant('tree' as const), name, tree }),
  fc.record({ kind: fc.constant('file' as const), name, bytes }),
  fc.record({ kind: fc.constant('stream' as const), name, bytes }),
  fc.record({ kind: fc.constant('remove' as const), name: fc.oneof(name, fc.constant('')) }),
);

const latin1 = (text: string): Buffer => Buffer.from(text, 'latin1');

/** Writes a tree to a fresh folder; items that cannot be there (below a file, taken) are left out. */
function writeTree(root: string, items: Tree): Model {
  fs.mkdirSync(root, { recursive: true });
  const written: Model = new Map([['', { folder: true }]]);
  for (const item of items) {
    const parts = item.path.split('/');
    const parents = parts.slice(0, -1).map((_, index) => parts.slice(0, index + 1).join('/'));
    if (written.has(item.path) || parents.some((parent) => !('folder' in (written.get(parent) ?? { folder: true })))) {
      continue;
    }
    for (const parent of parents) {
      if (!written.has(parent)) fs.mkdirSync(latin1(`${root}/${parent}`));
      written.set(parent, { folder: true });
    }
    const path = latin1(`${root}/${item.path}`);
    if ('bytes' in item.held) fs.writeFileSync(path, item.held.bytes);
    else if ('link' in item.held) fs.symlinkSync(latin1(item.held.link), path);
    else fs.mkdirSync(path);
    written.set(item.path, item.held);
  }
  return written;
}

function withoutBelow(model: Model, top: string): Model {
  return new Map([...model].filter(([path]) => !isAtOrBelow(latin1(path), latin1(top))));
}

function hasFileAbove(model: Model, path: string): boolean {
  return [...model].some(
    ([above, value]) => above !== path && !('folder' in value) && isAtOrBelow(latin1(path), latin1(above)),
  );
}

async function* once(value: Buffer): AsyncGenerator<Buffer> {
  for (let at = 0; at < value.length; at += 50_000) yield value.subarray(at, at + 50_000);
}

/** Does the change in the world and in the model. */
async function apply(world: World, model: Model, step: Change, number: number): Promise<Model> {
  const path = `${world.dir}/step-${number}`;
  const added: Model = new Map();
  let doChange: () => Promise<unknown>;
  if (step.kind === 'remove') {
    doChange = () => world.commitChange({ kind: 'remove', name: latin1(step.name) });
  } else if (step.kind === 'stream') {
    added.set(step.name, { bytes: step.bytes });
    doChange = () =>
      world.commitChange({ kind: 'stream', name: latin1(step.name), bytes: once(step.bytes), mode: 0o600 });
  } else {
    if (step.kind === 'file') fs.writeFileSync(path, step.bytes);
    const written: Model = step.kind === 'file' ? new Map([['', { bytes: step.bytes }]]) : writeTree(path, step.tree);
    for (const [below, value] of written) added.set(below === '' ? step.name : `${step.name}/${below}`, value);
    doChange = () => world.setPath(Buffer.from(path), latin1(step.name));
  }
  if (step.kind !== 'remove' && hasFileAbove(model, step.name)) {
    await assert.rejects(doChange, (error) => isBbError(error, 'BAD_NAME'));
    return model;
  }
  await doChange();
  return new Map([...withoutBelow(model, step.name), ...added]);
}

function plain(file: ReadFile): Held {
  const { entry } = file;
  if (entry.kind === ENTRY_KIND.FOLDER) return { folder: true };
  return entry.kind === ENTRY_KIND.SYMLINK ? { link: entry.target.toString('latin1') } : { bytes: file.bytes };
}

async function checkAgainst(world: World, model: Model): Promise<void> {
  const row = await world.catalog.newestRevision();
  const files: Map<string, ReadFile> = row === undefined ? new Map() : await world.readAll(row);
  const expected = [...model].sort(([a], [b]) => compareNames(latin1(a), latin1(b)));
  assert.deepEqual(
    [...files].map(([path, file]) => [path, plain(file)]),
    expected,
  );
}

test('any changes read back as the model says, and again after a restart', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(change, { minLength: 1, maxLength: 6 }), async (steps) => {
      const world = await World.open();
      try {
        let model: Model = new Map();
        for (const [number, step] of steps.entries()) {
          model = await apply(world, model, step, number);
          await checkAgainst(world, model);
        }
        await world.restart();
        await checkAgainst(world, model);
        assert.deepEqual(world.crashes, []);
      } finally {
        await world.close();
      }
    }),
    { numRuns: 20 },
  );
});
