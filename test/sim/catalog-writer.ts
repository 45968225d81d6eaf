// The process that catalog-kills.test.ts kills: it waits for one line, "DIRECTORY NUMBER SEED", and carries out transactions from
// that number on with the real SQLite catalog, for as long as it lives. Each line that it prints is an acknowledgement.

import { once } from 'node:events';
import { writeSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { opened } from '../contract/catalog-suite.ts';
import { sqliteDiskIn } from '../contract/sqlite-disk.ts';
import { runStep } from './catalog-steps.ts';

const [line] = (await once(createInterface({ input: process.stdin }), 'line')) as [string];
const [dir = '', first = '', ...seed] = line.split(' ');
writeSync(1, 'awake\n');
const disk = sqliteDiskIn(dir);
const catalog = await opened(disk);
writeSync(1, 'open\n');
for (let number = Number(first); ; number += 1) {
  await runStep({ catalog, disk, seed: seed.join(' ') }, number);
  writeSync(1, `${number}\n`);
}
