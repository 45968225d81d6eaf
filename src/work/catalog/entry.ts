// Entry of the catalog's thread: SQLite blocks while it works, so it never runs on the event loop.

import { workerData } from 'node:worker_threads';
import { SqliteCatalog } from '../../storage/catalog/sqlite-catalog.ts';
import type { Catalog } from '../../ports/catalog.ts';
import type { CallContext } from '../calls.ts';
import { serveCalls } from '../serve-calls.ts';
import { threadRandom } from '../thread-random.ts';

/** One call, so that the proxy needs no line per method. */
export type CatalogCalls = {
  invoke(context: CallContext, method: keyof Catalog, args: readonly unknown[]): Promise<unknown>;
};

const { dataDir } = workerData as { readonly dataDir: string };
const catalog: Catalog = new SqliteCatalog(dataDir, threadRandom);

serveCalls({
  async invoke(_: CallContext, method: keyof Catalog, args: readonly unknown[]): Promise<unknown> {
    const bound = catalog[method].bind(catalog) as (...values: readonly unknown[]) => Promise<unknown>;
    return bound(...args);
  },
} satisfies CatalogCalls);
