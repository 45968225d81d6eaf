// bb: argv in, exit code out. Compiled code is kept below the user's own cache directory, which halves the start-up.
// Invariant: never in a shared temporary directory, where another user could put code of theirs.

import { enableCompileCache } from 'node:module';
import { homedir } from 'node:os';
import { join } from 'node:path';

const cacheHome = process.env['XDG_CACHE_HOME']?.startsWith('/')
  ? process.env['XDG_CACHE_HOME']
  : `${homedir()}/.cache`;
enableCompileCache(join(cacheHome, 'barterbackup', 'compiled'));

const { runProgram } = await import('./program.ts');
process.exitCode = await runProgram(process.argv.slice(2));
