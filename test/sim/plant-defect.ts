// Loaded before a scenario (`node --import`): the sources named by DEFECT are changed on their way into this one process.
// Nothing on disk is touched. A defect whose place is not found exactly once is an error, so that none goes stale unseen.

import { registerHooks } from 'node:module';
import { DEFECTS } from './defects.ts';

const root = new URL('../../', import.meta.url).href;
const defect = DEFECTS.find(({ name }) => name === process.env['DEFECT']);
if (defect === undefined) throw new Error('DEFECT names no defect of defects.ts');

registerHooks({
  load(url, context, nextLoad) {
    const loaded = nextLoad(url, context);
    const edits = defect.edits.filter(({ file }) => url === `${root}src/${file}`);
    if (edits.length === 0) return loaded;
    let source = typeof loaded.source === 'string' ? loaded.source : new TextDecoder().decode(loaded.source);
    for (const { file, from, to } of edits) {
      if (source.split(from).length !== 2)
        throw new Error(`the place of "${defect.name}" in ${file} is not there once`);
      source = source.replace(from, () => to);
    }
    return { ...loaded, source };
  },
});
