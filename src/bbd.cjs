#!/usr/bin/env node
/* bbd, start file: like bb.cjs, and it switches core dumps off for good before a key can be in memory.
   Invariant: the program runs with a core limit of 0, under the process id that the caller sees (on Node 24). */
'use strict';

var start = require('./start.cjs');

/* Node's SQLite says at each start that it may still change; the version is pinned and tested, so the line helps nobody.
   The flag is also how this file knows that it has been here before. */
var FLAG = '--disable-warning=ExperimentalWarning';
/* A small young generation: what flows through the main thread is buffers, and only a collection frees them. Without it a
   large file on its way out costs 50 MiB more (test/e2e/local.test.ts). And an old one that is collected when it has grown
   by a third, not when it has doubled: that is what a flood of connections costs (test/faults/floods.test.ts). */
var MEMORY = ['--max-semi-space-size=1', '--heap-growing-percent=30'];
var NO_CORES = ['/bin/sh', '-c', 'ulimit -c 0; exec "$@"', 'bbd'];

start.onNode24(__filename, function () {
  if (process.execArgv.indexOf(FLAG) >= 0) return start.load(__dirname);
  start.become(NO_CORES.concat(process.execPath, FLAG, MEMORY, process.execArgv, __filename, process.argv.slice(2)));
});
