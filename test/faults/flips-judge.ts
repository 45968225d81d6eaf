// Asks a data directory everything that the program would ask it, and compares with what it said before a byte was flipped.
// Good is: the same answer, a named error, or a cell that says itself that it is damaged. Another answer is `wrong`; what is no
// operating error, or ends the process, is `crashed`.

import { createHash } from 'node:crypto';
import { packKeys } from '../../src/core/crypto/dir-keys.ts';
import { isBbError } from '../../src/core/errors.ts';
import { pubkeyFromOnionId } from '../../src/core/ids.ts';
import type { Catalog, RevisionRow } from '../../src/ports/catalog.ts';
import type { WorkerKeys } from '../../src/ports/workers.ts';
import { encodePlain } from '../../src/storage/catalog/plain-json.ts';
import { SqliteCatalog } from '../../src/storage/catalog/sqlite-catalog.ts';
import { DiskDataDir } from '../../src/storage/data-dir.ts';
import { openPackReader, PackCellStore } from '../../src/storage/packs/pack-cell-store.ts';
import { OwnContent } from '../../src/work/content/own-content.ts';
import { itemsBelow } from '../../src/work/content/read-content.ts';
import { heldCell } from '../../src/work/serve/answers.ts';
import { OwnBlob } from '../../src/work/serve/own-blob.ts';
import { blobCellCount } from '../../src/core/challenge/plan.ts';
import { countingRandom } from '../contract/storage-fixture.ts';
import { ROW_KEY, WRAP_KEY } from '../contract/workers-world.ts';
import { OWNER, STORER } from './flips-world.ts';

/** Answer by question. `damaged` and `error CODE` are good answers to any. */
export type Answers = ReadonlyMap<string, string>;

export type Verdict = { readonly kind: 'same' | 'found' | 'wrong' | 'crashed'; readonly what: string };

const DAMAGED = 'damaged';
const HELD_LIST = 1;

/** `before` against `after`; the worst word counts. */
export function judge(before: Answers, after: Answers): Verdict {
  let verdict: Verdict = { kind: 'same', what: '' };
  for (const [question, answer] of after) {
    if (answer === before.get(question)) continue;
    if (answer.startsWith('crash ')) return { kind: 'crashed', what: `${question}: ${answer}` };
    if (answer === DAMAGED || answer.startsWith('error ')) {
      if (verdict.kind === 'same') verdict = { kind: 'found', what: `${question}: ${answer}` };
    } else {
      verdict = { kind: 'wrong', what: `${question}: ${answer} in place of ${before.get(question)}` };
    }
  }
  return verdict;
}

/** Opens the directory as a start and an unlock do, stores included, and asks. Later questions need the earlier ones. */
export async function ask(dir: string, keys: WorkerKeys): Promise<Answers> {
  const answers = new Map<string, string>();
  const put = async (question: string, answer: () => Promise<string>): Promise<void> => {
    answers.set(question, await told(answer));
  };
  await put('header', async () => digest(encodePlain(await new DiskDataDir(dir).readHeader())));
  const catalog: Catalog = new SqliteCatalog(dir, countingRandom());
  const closing: (() => Promise<void>)[] = [() => catalog.close()];
  try {
    await put('open', async () => {
      await catalog.open();
      await catalog.unlock(Buffer.from(ROW_KEY));
      return 'opened';
    });
    if (answers.get('open') !== 'opened') return answers;
    await put('records', async () => digest(encodePlain(await catalog.records())));
    const row = await newest(catalog);
    await put('newest', async () => {
      if (row instanceof Error) throw row;
      return row === undefined ? 'none' : digest(encodePlain(row));
    });
    const copies = Object.fromEntries(Object.entries(keys).map(([name, key]) => [name, Buffer.from(key)]));
    const own: { content?: OwnContent } = {};
    await put('own store', async () => {
      own.content = await OwnContent.open(dir, copies as WorkerKeys);
      return 'opened';
    });
    await put('peers store', async () => {
      const store = new PackCellStore(packOptions(dir, 'peers'), countingRandom());
      await store.open(await catalog.marks('peers'));
      await store.close();
      return 'opened';
    });
    const { content } = own;
    if (content === undefined) return answers;
    closing.unshift(() => content.close());
    if (row !== undefined && !(row instanceof Error)) await askOwn(put, catalog, content, row, keys);
    await askHeld(put, catalog, content, dir, closing);
    return answers;
  } finally {
    for (const close of closing) await close().catch(() => undefined);
  }
}

type Put = (question: string, answer: () => Promise<string>) => Promise<void>;

async function askOwn(put: Put, catalog: Catalog, own: OwnContent, row: RevisionRow, keys: WorkerKeys): Promise<void> {
  await put('files', async () => {
    const hash = createHash('sha256');
    for await (const item of itemsBelow(own, row, Buffer.alloc(0))) {
      hash.update(
        item.kind === 'data' ? item.bytes : encodePlain({ ...item.entry, mtimeNs: String(item.entry.mtimeNs) }),
      );
    }
    return hash.digest('hex');
  });
  const blob = new OwnBlob(keys, own.catalog, own.store, row.contentId);
  const peer = pubkeyFromOnionId(STORER);
  for (let cell = 0; cell < blobCellCount(row); cell++) {
    await put(`cell ${cell} for a storer`, async () => {
      const opened = await blob.open(cell);
      return opened === undefined ? DAMAGED : digest(blob.sealed(opened, peer));
    });
  }
  await put('leaves', async () => {
    // What is not known is computed again.
    const leaves = await catalog.peerLeaves(STORER, row.contentId, 0, blobCellCount(row));
    return leaves === undefined ? DAMAGED : digest(leaves);
  });
}

async function askHeld(
  put: Put,
  catalog: Catalog,
  own: OwnContent,
  dir: string,
  closing: (() => Promise<void>)[],
): Promise<void> {
  const store = openPackReader(packOptions(dir, 'peers'));
  closing.unshift(() => store.close());
  await put('held leaves', async () => digest(await catalog.heldLeaves(HELD_LIST, 0, 3)));
  await put('held cells missing', async () => {
    const missing = await catalog.heldMissing(HELD_LIST, 0, 10);
    return missing.length === 0 ? 'none' : DAMAGED;
  });
  await put('held cells in all', async () => String(await catalog.heldDistinctCells([HELD_LIST])));
  for (let cell = 0; cell < 3; cell++) {
    await put(`held cell ${cell} of ${OWNER.slice(0, 4)}`, async () => {
      const bytes = await heldCell({ catalog: own.catalog, store, list: HELD_LIST }, cell);
      return bytes === undefined ? DAMAGED : digest(bytes);
    });
  }
}

/** The error itself when there is no answer: it is told as the answer to `newest`. */
async function newest(catalog: Catalog): Promise<RevisionRow | Error | undefined> {
  try {
    return await catalog.newestRevision();
  } catch (error) {
    return error instanceof Error ? error : new Error('unknown');
  }
}

async function told(answer: () => Promise<string>): Promise<string> {
  try {
    return await answer();
  } catch (error) {
    if (isBbError(error) && error.code !== 'INTERNAL') return `error ${error.code}`;
    return `crash ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`;
  }
}

function packOptions(dir: string, kind: 'own' | 'peers') {
  return { dir: `${dir}/${kind}`, kind, keys: packKeys(WRAP_KEY) } as const;
}

function digest(bytes: Buffer | string): string {
  return createHash('sha256').update(bytes).digest('hex').slice(0, 16);
}
