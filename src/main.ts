// bbd: argv in, exit code out.

import { run } from './app/run.ts';

process.exit(await run(process.argv.slice(2)));
