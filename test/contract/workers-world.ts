// A data directory with a real catalog and real worker threads, and the commit that the daemon would do. For the tests
// of src/work; everything lies in one fresh folder that close() removes.

import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import type { Entry } from '../../src/core/content/entry.ts';
import type { Metadata } from '../../src/core/content/metadata.ts';
import { headCellCount } from '../../src/core/crypto/head.ts';
import { Keyring } from '../../src/core/crypto/keyring.ts';
import { CELL_BYTES, PACK_HEADER_BYTES, PACK_SLOT_BYTES } from '../../src/core/limits.ts';
import type { Catalog, RevisionRow, StagedContent } from '../../src/ports/catalog.ts';
import type { IngestedContent, IngestJob, WorkerKeys } from '../../src/ports/workers.ts';
import { metadataCodec } from '../../src/storage/stored/metadata-codec.ts';
import { startCatalog } from '../../src/work/catalog/catalog-proxy.ts';
import { ThreadWorkers } from '../../src/work/thread-workers.ts';

const NONE = Buffer.alloc(0);
const neverAborted = new AbortController().signal;

export const WRAP_KEY = Buffer.alloc(32, 2);
export const ROW_KEY = Buffer.alloc(32, 1);

export type ReadFile = { readonly entry: Entry; readonly bytes: Buffer };

export class World {
  readonly dir = fs.mkdtempSync(path.join(os.tmpdir(), 'bb-workers-'));
  readonly dataDir = path.join(this.dir, 'data');
  readonly keyring: Keyring;
  catalog: Catalog;
  workers: ThreadWorkers;
  readonly crashes: Error[] = [];
  /** How far the snapshots' clock runs ahead of that of the disk. */
  aheadMs = 0;
  #sequence = 0;

  private constructor(seed: number, prepare: (dataDir: string) => void) {
    this.keyring = new Keyring(Buffer.alloc(64, seed));
    fs.mkdirSync(path.join(this.dataDir, 'tmp'), { recursive: true });
    prepare(this.dataDir);
    this.catalog = this.#startCatalog();
    this.workers = this.#startWorkers();
  }

  /** `prepare` runs on the empty directory. */
  static async open(seed = 7, prepare: (dataDir: string) => void = () => undefined): Promise<World> {
    const world = new World(seed, prepare);
    await world.#unlock();
    return world;
  }

  /** As a killed and restarted daemon would do. `meanwhile` runs when nothing has the files open. */
  async restart(meanwhile: () => void = () => undefined): Promise<void> {
    await this.workers.close();
    await this.catalog.close();
    meanwhile();
    this.catalog = this.#startCatalog();
    this.workers = this.#startWorkers();
    await this.#unlock();
  }

  /** The same without a chance to save anything. */
  async kill(): Promise<void> {
    await this.workers.terminate();
    await this.restart();
  }

  async close(): Promise<void> {
    await this.workers.close();
    await this.catalog.close();
    this.keyring.wipe();
    fs.rmSync(this.dir, { recursive: true });
  }

  /** Makes a file below the world's folder and returns its path. */
  write(name: string, bytes: Uint8Array | string): Buffer {
    const file = path.join(this.dir, name);
    fs.mkdirSync(path.dirname(file), { recursive: true });
    fs.writeFileSync(file, bytes);
    return Buffer.from(file);
  }

  async change(change: IngestJob['change'], signal: AbortSignal = neverAborted): Promise<IngestedContent> {
    const base = await this.catalog.newestRevision();
    const job = { change, snapshotId: Buffer.alloc(16, this.#sequence + 1), nowMs: Date.now() + this.aheadMs };
    return this.workers.ingest(job, base, () => {}, signal);
  }

  setPath(source: Buffer, name: string | Buffer): Promise<RevisionRow> {
    return this.commitChange({ kind: 'path', path: source, name: Buffer.from(name) });
  }

  async commitChange(change: IngestJob['change']): Promise<RevisionRow> {
    return this.commit(await this.change(change));
  }

  async commit(staged: StagedContent): Promise<RevisionRow> {
    const metadata = metadataCodec.encode(this.#metadata(staged));
    const headCells = headCellCount(metadata.length);
    const contentId = this.keyring.sealContentId({
      generation: 1,
      sequence: this.#sequence,
      createdMs: 0,
      nonce: Buffer.alloc(16, this.#sequence),
      metaBytes: metadata.length,
      cellCount: 2 * headCells + staged.indexCells + staged.dataCells,
    });
    const { indexCells, dataCells, fileCount, fileBytes } = staged;
    const revision = {
      contentId,
      generation: 1,
      sequence: this.#sequence,
      createdMs: 0,
      headCells,
      indexCells,
      dataCells,
      fileCount,
      fileBytes,
      metadata,
    };
    await this.commitRow(staged, revision);
    return revision;
  }

  /** Commits a revision whose id is known already. */
  async commitRow(staged: StagedContent, revision: RevisionRow): Promise<void> {
    const { contentId, metadata } = revision;
    this.#sequence = Math.max(this.#sequence, revision.sequence);
    const heads = await this.workers.appendHeads(contentId, [
      this.keyring.sealHead(contentId, 0, metadata),
      this.keyring.sealHead(contentId, 1, metadata),
    ]);
    await this.catalog.commitRevision({
      staged,
      revision,
      heads: heads.positions,
      ownMarks: heads.marks,
      records: [],
    });
  }

  /** Every entry at or below `name` with its bytes, by name. */
  async readAll(row: RevisionRow, name: string | Buffer = ''): Promise<Map<string, ReadFile>> {
    const files = new Map<string, ReadFile>();
    let entry: Entry | undefined;
    let parts: Buffer[] = [];
    const flush = (): void => {
      if (entry !== undefined) files.set(entry.path.toString('latin1'), { entry, bytes: Buffer.concat(parts) });
      parts = [];
    };
    for await (const item of this.workers.read(row, Buffer.from(name))) {
      if (item.kind === 'data') parts.push(item.bytes);
      else {
        flush();
        entry = item.entry;
      }
    }
    flush();
    return files;
  }

  /** Flips a byte of so many slots in the middle of the first own pack. Nothing has it open. */
  damageOwn(slots: number): void {
    const file = path.join(this.dataDir, 'own', 'pack-0');
    const bytes = fs.readFileSync(file);
    const first = Math.floor(bytes.length / PACK_SLOT_BYTES / 2);
    for (let slot = first; slot < first + slots; slot++) {
      const at = PACK_HEADER_BYTES + slot * PACK_SLOT_BYTES + CELL_BYTES / 2;
      bytes.writeUInt8(bytes.readUInt8(at) ^ 1, at);
    }
    fs.writeFileSync(file, bytes);
  }

  blobCells(row: RevisionRow): number {
    return 2 * row.headCells + row.indexCells + row.dataCells;
  }

  async #unlock(): Promise<void> {
    await this.catalog.open();
    await this.catalog.unlock(Buffer.from(ROW_KEY));
    await this.workers.unlock(this.keys());
  }

  keys(): WorkerKeys {
    const cell = this.keyring.cellKeys();
    const chunk = this.keyring.chunkKeys();
    return {
      pubkey: Buffer.from(this.keyring.pubkey),
      cellId: cell.id,
      cellEnc: cell.enc,
      chunkId: chunk.id,
      cdc: chunk.cdc,
      wrapKey: Buffer.from(WRAP_KEY),
      rowKey: Buffer.from(ROW_KEY),
    };
  }

  #startCatalog(): Catalog {
    return startCatalog(this.dataDir, (error) => this.crashes.push(error));
  }

  #startWorkers(): ThreadWorkers {
    const clock = { monotonicMs: () => performance.now() };
    return new ThreadWorkers({ dataDir: this.dataDir, clock, onCrash: (error) => this.crashes.push(error) });
  }

  #metadata(staged: StagedContent): Metadata {
    this.#sequence++;
    return {
      generation: 1,
      sequence: this.#sequence,
      createdMs: 0,
      previousContentId: NONE,
      ancestors: NONE,
      generations: [],
      contentBytes: CELL_BYTES * (staged.indexCells + staged.dataCells),
      contentRoot: staged.contentRoot,
      indexCells: staged.indexCellIds,
      indexRoot: staged.indexRoot,
      dataCells: staged.dataCells,
      fileCount: staged.fileCount,
      fileBytes: staged.fileBytes,
      peers: [],
      settings: { name: '', storageLimitBytes: 0, minReplicas: 3, approval: 'added', unlisted: false },
      formatMin: 1,
      settled: NONE,
    };
  }
}
