// Plays one row of a table in this process and prints its ending as JSON on the last line.

import { playHere } from './adversary.ts';
import type { Adversary } from './adversary.ts';

const [table = '', number = ''] = process.argv.slice(2);
const { PEERS } = (await import(`./${table}.ts`)) as { PEERS: readonly Adversary[] };
const peer = PEERS.find((row) => row.number === Number(number));
if (peer === undefined) throw new Error(`${table} has no number ${number}`);
const ending = await playHere(peer);
console.log(JSON.stringify(ending));
process.exit(0);
