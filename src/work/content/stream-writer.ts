// Writes a stream (file table, index stream) into INDEX cells: cut into chunks like a file, so that unchanged parts keep
// their ciphertext; its root list folded until it is short.

import { CHUNK_ID_BYTES } from '../../core/content/chunk-id.ts';
import { Chunker, INDEX_CHUNKS } from '../../core/content/chunker.ts';
import { foldRoot } from '../../core/content/root-list.ts';
import type { RootList } from '../../core/content/root-list.ts';
import { chunkId } from '../../core/content/chunk-id.ts';
import { CELL_KIND } from '../../core/crypto/cell-seal.ts';
import { ByteList, splitBytes } from './byte-list.ts';
import type { ChunkWriter } from './chunk-writer.ts';

export class StreamWriter {
  readonly #gear: Uint32Array;
  readonly #chunkKey: Buffer;
  readonly #index: ChunkWriter;
  readonly #chunker: Chunker;
  readonly #ids = new ByteList();

  constructor(gear: Uint32Array, chunkKey: Buffer, index: ChunkWriter) {
    this.#gear = gear;
    this.#chunkKey = chunkKey;
    this.#index = index;
    this.#chunker = new Chunker(gear, INDEX_CHUNKS);
  }

  async write(bytes: Buffer): Promise<void> {
    for (const chunk of this.#chunker.push(bytes)) this.#ids.append(await this.#index.put(chunk));
  }

  /** The root of everything written. */
  async finish(): Promise<RootList> {
    const last = this.#chunker.finish();
    if (last !== undefined) this.#ids.append(await this.#index.put(last));
    // The fold itself is synchronous: it names the chunks of each list, which are stored right after it.
    const lists: Buffer[] = [];
    const root = foldRoot([...splitBytes(this.#ids.copy(), CHUNK_ID_BYTES)], (list) => {
      const chunks = this.#cut(list);
      lists.push(...chunks);
      return chunks.map((chunk) => chunkId(this.#chunkKey, CELL_KIND.INDEX, chunk));
    });
    for (const chunk of lists) await this.#index.put(chunk);
    return root;
  }

  #cut(list: Buffer): Buffer[] {
    const chunker = new Chunker(this.#gear, INDEX_CHUNKS);
    const chunks = chunker.push(list);
    const last = chunker.finish();
    return last === undefined ? chunks : [...chunks, last];
  }
}
