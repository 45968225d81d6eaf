#!/usr/bin/env node
/* bb, start file: written for any Node, so that an old one gets another Node or three clear lines, never a stack trace.
   It loads main.js of the built package, or main.ts when it runs from the sources. */
'use strict';

var start = require('../src/start.cjs');

start.onNode24(__filename, function () {
  start.load(__dirname);
});
