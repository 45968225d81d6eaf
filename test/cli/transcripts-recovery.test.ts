// What bb recover and bb init complete say and how they leave, against a scripted daemon: only what came of it.

import type { LocalApi } from '../../src/daemon/local-api.ts';
import { of, REVISION } from '../contract/rpc-local-fixture.ts';
import { items } from './rig.ts';
import { runRows } from './rows.ts';
import type { Row } from './rows.ts';

const recovered = (missingFiles: number, cells = 4): Partial<LocalApi> => {
  const base = {
    newest: REVISION,
    holdersOfNewest: 2,
    holders: 2,
    versions: 1,
    downloadedBytes: 4 * 131_072,
    totalDownloadedBytes: cells * 131_072,
    completeFiles: 5,
    missingFiles,
    missingNames: [],
    recovered: missingFiles === 0,
    transfers: [],
  };
  return {
    recover: () =>
      of(
        {
          ...base,
          phase: 'looking' as const,
          mode: 'blocked' as const,
          waitingFor: 'a peer that holds it',
          done: false,
        },
        { ...base, phase: 'complete' as const, mode: 'normal' as const, waitingFor: '', done: true },
      ),
  };
};

/** A recovery that only a peer or the user can bring on. */
const recoversStill = (fields: { readonly recovered: boolean }): Partial<LocalApi> => ({
  recover: async function* (...args) {
    for await (const update of recovered(0).recover?.(...args) ?? []) {
      yield { ...update, ...fields, mode: 'recovering', waitingFor: update.done ? 'dora to answer' : '' };
    }
  },
});

const ROWS: readonly Row[] = [
  {
    bb: ['recover', '--wait'],
    daemon: recovered(0),
    exit: 0,
    stdout: 'Recovered revision 3: 5 files, 512 KiB from peers\n',
    stderr: /\* a peer that holds it\n/,
    data: { recovered: true, missing_files: 0, sequence: 3, phase: 'complete' },
  },
  {
    bb: ['recover', '--wait'],
    daemon: recovered(2),
    exit: 3,
    stderr: /error: 2 files were not brought back\nhint: Set again what you have; bb init complete --accept-loss/,
  },
  { bb: ['recover'], daemon: recovered(0), exit: 0, stdout: /runs in the daemon/, data: { done: false } },
  { bb: ['recover', '--accept-seq', '4'], exit: 22 },
  { bb: ['init', 'complete'], daemon: recovered(0), exit: 0, stdout: 'This node publishes again.\n' },
  {
    bb: ['init', 'complete'],
    daemon: recovered(1),
    exit: 0,
    stdout: /^This node publishes again\. 1 file was not brought back: set again what you have, or give it up with/,
    data: { missing_files: 1, mode: 'normal' },
  },
  {
    bb: ['init', 'complete', '--accept-loss', '-y'],
    daemon: recovered(1),
    exit: 0,
    stdout: 'This node publishes again. 1 file was not brought back and given up.\n',
  },
  {
    bb: ['init', 'complete', '--accept-loss', '-y'],
    daemon: recoversStill({ recovered: true }),
    exit: 18,
    stdout: '',
    stderr:
      /error: this node does not publish yet: it waits for dora to answer\nhint: Nothing of this call is remembered/,
    data: { mode: 'recovering', recovered: true, waiting_for: 'dora to answer' },
  },
  {
    bb: ['recover', '--wait'],
    daemon: recoversStill({ recovered: true }),
    exit: 0,
    stdout: 'Recovered revision 3: 5 files, 512 KiB from peers\n',
    stderr: /Nothing is published yet: this node waits for dora to answer\n/,
  },
  {
    bb: ['recover', '--to', 'out'],
    daemon: recoversStill({ recovered: false }),
    exit: 3,
    stdout: '',
    stderr: /Nothing was written to out: [^]*error: not yet: waits for dora to answer\n/,
  },
  {
    bb: ['recover', '--to', 'out'],
    daemon: { ...recovered(0, 0), readFiles: () => items() },
    exit: 0,
    stdout:
      'Nothing to recover: this node has its content (revision 3: 5 files).\nNothing was written to out: the backup is empty.\n',
  },
  { bb: ['init', 'complete', '--accept-loss'], exit: 22 },
];

runRows(ROWS);
