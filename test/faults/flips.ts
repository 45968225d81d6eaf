// Flips one bit of one byte and judges: the engine behind `flips.test.ts` (a sample) and the scorecard (every byte).
// A flip is good when everything answers as before, or says that it is damaged, or, in the last transaction of the journal, when
// the directory is exactly as before that transaction: a rotten last write cannot be told from one that a crash cut off.

import * as fs from 'node:fs';
import { tmpdir } from 'node:os';
import { Sql } from '../../src/storage/catalog/sql.ts';
import { dumpOf } from './flips-dump.ts';
import { ask, judge } from './flips-judge.ts';
import type { Answers, Verdict } from './flips-judge.ts';
import { layOut } from './flips-world.ts';
import type { Specimen } from './flips-world.ts';

export type State = 'running' | 'closed';

/** Files that are flipped in each state; packs have their own engine, flips-packs.ts. */
export const FILES: readonly (readonly [State, string])[] = [
  ['closed', 'header.json'],
  ['closed', 'header.bak'],
  ['closed', 'state.bak'],
  ['closed', 'state.db'],
  ['running', 'state.db'],
  ['running', 'state.db-wal'],
];

export class FlipBench {
  readonly #dir = fs.mkdtempSync(`${tmpdir()}/bb-flips-`);
  readonly #specimen: Specimen;
  readonly #known = new Map<State, { readonly answers: Answers; readonly dump: string | undefined }>();
  #beforeLast: Answers = new Map();

  private constructor(specimen: Specimen) {
    this.#specimen = specimen;
  }

  static async open(specimen: Specimen): Promise<FlipBench> {
    const bench = new FlipBench(specimen);
    for (const state of ['running', 'closed'] as const) {
      layOut(bench.#dir, specimen[state]);
      const dump = dumpOf(`${bench.#dir}/state.db`);
      layOut(bench.#dir, specimen[state]);
      bench.#known.set(state, { answers: await ask(bench.#dir, specimen.keys), dump });
    }
    bench.#beforeLast = await bench.#askWith('running', 'state.db-wal', specimen.beforeLast);
    return bench;
  }

  /** One bit of byte `at`; the bit depends on the place, so that neighbours differ. */
  async flip(state: State, name: string, at: number): Promise<Verdict> {
    const { answers, dump } = this.#known.get(state) ?? { answers: new Map(), dump: undefined };
    const flipped = Buffer.from(this.#specimen[state].get(name) ?? Buffer.alloc(0));
    flipped[at] = (flipped[at] ?? 0) ^ (1 << (at % 8));
    if (name === 'state.db') {
      layOut(this.#dir, this.#specimen[state]);
      fs.writeFileSync(`${this.#dir}/${name}`, flipped);
      if (dumpOf(`${this.#dir}/state.db`) === dump) return { kind: 'same', what: '' };
    }
    const after = await this.#askWith(state, name, flipped);
    const verdict = judge(answers, after);
    if (verdict.kind !== 'wrong' || name !== 'state.db-wal') return verdict;
    return judge(this.#beforeLast, after).kind === 'same' ? { kind: 'found', what: 'a cut last write' } : verdict;
  }

  /** The same for a value that one flip can give a column, wherever its byte lies. */
  async change(statement: string): Promise<Verdict> {
    layOut(this.#dir, this.#specimen.closed);
    const sql = new Sql(`${this.#dir}/state.db`);
    try {
      sql.exec(statement);
    } finally {
      sql.close();
    }
    return judge(this.#known.get('closed')?.answers ?? new Map(), await ask(this.#dir, this.#specimen.keys));
  }

  close(): void {
    fs.rmSync(this.#dir, { recursive: true });
  }

  async #askWith(state: State, name: string, bytes: Buffer): Promise<Answers> {
    layOut(this.#dir, this.#specimen[state]);
    fs.writeFileSync(`${this.#dir}/${name}`, bytes);
    return ask(this.#dir, this.#specimen.keys);
  }
}
