// Names are bytes: whatever a file system may hold goes in and comes back, is shown without doing anything to a terminal, and can be
// told apart in JSON. And names of an entry that somebody prepared lead nowhere outside of the folder that is written.

import assert from 'node:assert/strict';
import * as fs from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import type { Context } from '../../cli/context.ts';
import { extractTo } from '../../cli/extract-to.ts';
import { safeName } from '../../cli/safe-text.ts';
import { namedBy } from '../../cli/stored-name.ts';
import { entryView } from '../../cli/views.ts';
import { escapeName } from '../../src/core/content/path.ts';
import type { Entry } from '../../src/core/content/entry.ts';
import type { GetFileResponse } from '../../src/gen/clirpc/v1/clirpc.ts';
import { entryMessage, fileMessages } from '../../src/rpc/local/file-messages.ts';
import { World } from '../contract/workers-world.ts';

const dir = fs.mkdtempSync(join(tmpdir(), 'bb-names-'));
after(() => fs.rmSync(dir, { recursive: true }));

/** No UTF-8, a cut character, control and format characters, a line end, a lone surrogate, names with a meaning elsewhere. */
const ODD: readonly Buffer[] = [
  Buffer.from([0x66, 0xff, 0x67]),
  Buffer.from([0xe2, 0x82]),
  Buffer.from([0xed, 0xa0, 0x80]),
  Buffer.from('\u001b[2J\u0007'),
  Buffer.from('two\nlines\r'),
  Buffer.from('\u202egpj.exe'),
  Buffer.from('back\\slash'),
  Buffer.from('...'),
  Buffer.from('__proto__'),
  Buffer.from('-rf'),
  Buffer.from(' '),
  Buffer.from('caf\u00e9'),
];
const UNSAFE = /[\p{Cc}\p{Cf}]/u;

const inFolder = (folder: string, name: Buffer): Buffer => Buffer.concat([Buffer.from(`${folder}/`), name]);
/** As much of a context as writing files needs. */
const context = { out: { warn: () => undefined } } as unknown as Context;

function namesIn(folder: string): string[] {
  return fs.readdirSync(folder, { encoding: 'buffer' }).map((name) => name.toString('hex'));
}

test('every name of a folder is kept byte for byte, into the backup and out of it', async () => {
  const source = join(dir, 'source');
  fs.mkdirSync(source);
  for (const name of ODD) fs.writeFileSync(inFolder(source, name), name);
  const world = await World.open();
  try {
    const row = await world.setPath(Buffer.from(source), Buffer.from('docs'));
    const out = join(dir, 'out');
    await extractTo(context, fileMessages(world.workers.read(row, Buffer.alloc(0))), {
      name: Buffer.alloc(0),
      out,
      force: false,
    });
    assert.deepEqual(namesIn(join(out, 'docs')), ODD.map((name) => name.toString('hex')).sort());
    for (const name of ODD) assert.deepEqual(fs.readFileSync(inFolder(join(out, 'docs'), name)), name);
  } finally {
    await world.close();
  }
});

test('one file with such a name, asked for by its bytes, keeps it in the folder OUT', async () => {
  const out = join(dir, 'one');
  fs.mkdirSync(out);
  for (const name of ODD) {
    const path = inFolder('docs', name);
    const asked = namedBy([out], { pathB64: path.toString('base64') });
    assert.deepEqual([asked.name, asked.rest], [path, [out]]);
    await extractTo(context, itemsOf([{ path, bytes: 'x' }]), { name: asked.name, out, force: false });
  }
  assert.deepEqual(namesIn(out), ODD.map((name) => name.toString('hex')).sort());
  assert.throws(() => namedBy([], { pathB64: 'no base64' }), { code: 'USAGE' });
});

test('what is shown holds no control character, and different names are shown differently', () => {
  for (const show of [safeName, escapeName]) {
    const shown = ODD.map((name) => show(name));
    assert.deepEqual(
      shown.filter((text) => UNSAFE.test(text)),
      [],
    );
    assert.equal(new Set(shown).size, ODD.length);
  }
});

test('in JSON a path that loses bytes comes with all of them, and no other does', () => {
  for (const name of ODD) {
    const view = entryView(entryMessage(entryOf(name, 0)));
    const isLossy = !Buffer.from(String(view['path'])).equals(name);
    assert.equal(view['path_b64'], isLossy ? name.toString('base64') : undefined, safeName(name));
  }
});

const HOSTILE = ['../up', '..', '/etc/x', 'docs/../../up', 'docs//x', 'docs/./x', '.', '', 'docs/', 'docs/a\0b', '/'];

for (const name of HOSTILE) {
  test(`an entry ${JSON.stringify(name)} in what the daemon gives is refused, and nothing is written`, async () => {
    const out = fs.mkdtempSync(join(dir, 'hostile-'));
    const target = join(out, 'deep/er');
    const items = itemsOf([{ path: Buffer.from(name), bytes: 'x' }]);
    const destination = { name: Buffer.alloc(0), out: target, force: true };
    await assert.rejects(extractTo(context, items, destination), { code: 'INTEGRITY' });
    const written = fs.readdirSync(out, { recursive: true, encoding: 'utf8' }).sort();
    assert.deepEqual(written, ['deep'], 'the folder that was made for it is taken back');
  });
}

function entryOf(path: Buffer, size: number): Entry {
  const NONE = Buffer.alloc(0);
  const fields = { owner: NONE, group: NONE, target: NONE, sha256: NONE, chunkIds: NONE };
  const lists = { xattrs: [], holes: [], extensions: [] };
  const who = { uid: process.getuid?.() ?? 0, gid: process.getgid?.() ?? 0 };
  return { namespace: 0, kind: 1, path, size, mtimeNs: 0n, mode: 0o600, marks: 0, ...who, ...fields, ...lists };
}

async function* itemsOf(files: readonly { path: Buffer; bytes: string }[]): AsyncGenerator<GetFileResponse> {
  for (const { path, bytes } of files) {
    yield { entry: entryMessage(entryOf(path, bytes.length)) };
    yield { data: Buffer.from(bytes) };
  }
}
