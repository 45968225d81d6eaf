// Loaded before anything else of a process in which an attack has to succeed: puts other words into the one place of the
// sources that is the defence, as they are loaded. The files themselves stay as they are.
// Invariant: words that are not found exactly once end the process, so no defence moves away unnoticed.

import { registerHooks } from 'node:module';
import type { Patch } from './adversary.ts';

/** Environment variable with the patches as JSON. */
const patches = JSON.parse(process.env['BB_WITHOUT'] ?? '[]') as Patch[];

registerHooks({
  load: (url, context, nextLoad) => {
    const loaded = nextLoad(url, context);
    const own = patches.filter(({ file }) => url.endsWith(`/src/${file}`));
    if (own.length === 0) return loaded;
    const source = own.reduce(patched, Buffer.from(loaded.source as Uint8Array).toString());
    return { ...loaded, source };
  },
});

function patched(source: string, { file, find, put }: Patch): string {
  const parts = source.split(find);
  if (parts.length === 2) return parts.join(put);
  console.error(`${file} has ${parts.length - 1} times: ${find}`);
  process.exit(1);
}
