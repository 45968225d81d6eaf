// What the commands about contracts and policy say, against a scripted daemon.

import type { LocalApi } from '../../src/daemon/local-api.ts';
import { CONTRACT, of, PEER_VIEW, REPLICA, STORAGE } from '../contract/rpc-local-fixture.ts';
import { runRows } from './rows.ts';
import type { Row } from './rows.ts';

const PEER = PEER_VIEW.onionId;

const check = (outcome: string): Partial<LocalApi> => ({
  check: () =>
    of({
      state: 'COMPLETED' as const,
      success: outcome === 'held',
      outcome,
      contentBytes: 1 << 20,
      sectionOffset: 0,
      sectionBytes: 131_072,
      blocks: 512,
      cells: 3,
      newest: true,
    }),
});
const NO_CONTRACT: Partial<LocalApi> = {
  contracts: async () => [],
  storage: async () => ({ ...STORAGE, acceptableBytes: 3 * 1024 ** 3 }),
};
const propose = (state: 'COMPLETED' | 'PEER_REFUSED' | 'PENDING_PERSON', reason = ''): Partial<LocalApi> => ({
  ...NO_CONTRACT,
  propose: () =>
    of(
      { state: 'CONNECTING_TO_PEER' as const, success: false, reason: '', contract: undefined },
      { state, success: state === 'COMPLETED', reason, contract: state === 'COMPLETED' ? CONTRACT : undefined },
    ),
});
const OURS: Partial<LocalApi> = {
  ...NO_CONTRACT,
  contracts: async () => [
    { ...CONTRACT, state: 'PROPOSED', open: { ...CONTRACT.open!, proposedByUs: true, waitsForUs: false } },
  ],
};
const OLDER_PROVED: Partial<LocalApi> = {
  contracts: async () => [{ ...CONTRACT, replica: { ...REPLICA, verified: false, provedSequence: 2 } }],
};
const WAITING: Partial<LocalApi> = { contracts: async () => [CONTRACT] };
const SETTLED: Partial<LocalApi> = { contracts: async () => [{ ...CONTRACT, open: undefined }] };
const OVER: Partial<LocalApi> = { contracts: async () => [{ ...CONTRACT, state: 'RELEASED', open: undefined }] };
const answered = (told: boolean): Partial<LocalApi> => ({
  ...WAITING,
  answerProposal: async () => ({ contract: { ...CONTRACT, open: undefined }, told }),
  endContract: async () => ({ contract: { ...CONTRACT, state: 'ENDING' }, told }),
});
const CONFIG: Partial<LocalApi> = {
  config: async () => [{ key: 'contracts.accept', value: 'added', meaning: 'whose' }],
  setConfig: async (key, value) => [{ key, value, meaning: 'whose' }],
};

const ROWS: readonly Row[] = [
  { bb: ['contracts', 'list'], daemon: { contracts: async () => [] }, exit: 0, stdout: /^No contracts yet/ },
  {
    bb: ['contracts', 'list'],
    daemon: { contracts: async () => [CONTRACT] },
    exit: 0,
    stdout: /^PEER .*\nanna +ACTIVE, new terms wait for you +4 B +5 B +newest +held +3 B\n$/,
  },
  { bb: ['contracts', 'show', 'anna'], daemon: { contracts: async () => [CONTRACT] }, exit: 0, stdout: /all is well/ },
  // A proof of the revision before is none of the one that is there now.
  {
    bb: ['contracts', 'list'],
    daemon: OLDER_PROVED,
    exit: 0,
    stdout: /anna +ACTIVE.* newest +held, an older one +3 B\n$/,
  },
  {
    bb: ['contracts', 'show', 'anna'],
    daemon: OLDER_PROVED,
    exit: 0,
    stdout: /last check +revision 2 held \d+ d ago\n$/,
  },
  { bb: ['contracts', 'show', 'anna'], daemon: { contracts: async () => [] }, exit: 15 },
  // An empty name, such as an unset variable in a script, is no peer; least of all the first one.
  ...['show', 'ledger', 'accept', 'reject', 'end', 'check'].map(
    (word): Row => ({
      bb: ['contracts', word, '', '-y'],
      daemon: { ...check('held'), ...answered(true), ...WAITING },
      exit: 2,
      stdout: '',
      stderr: /error: no peer was named\nhint: /,
    }),
  ),
  ...['propose', 'amend'].map(
    (word): Row => ({
      bb: ['contracts', word, '', '--give', '2GiB', '-y'],
      daemon: { ...propose('COMPLETED'), ...WAITING },
      exit: 2,
      stdout: '',
      stderr: /error: no peer was named\nhint: /,
    }),
  ),
  { bb: ['contracts', 'propose', 'anna'], exit: 2, stderr: /say how much/ },
  {
    bb: ['contracts', 'propose', 'anna', '--give', '20'],
    daemon: NO_CONTRACT,
    exit: 2,
    stderr: 'error: 20 B can hold nothing\nhint: At least 1.0 MiB, such as 20GiB; a number alone is bytes.\n',
  },
  // One side only: the peer stores nothing for us, or we nothing for it.
  {
    bb: ['contracts', 'propose', 'anna', '--give', '1GiB', '--get', '0'],
    daemon: NO_CONTRACT,
    exit: 22,
    stderr: /which stores 0 B for you/,
  },
  { bb: ['contracts', 'amend', 'anna', '--get', '20'], daemon: SETTLED, exit: 2, stderr: /20 B can hold nothing/ },
  {
    bb: ['contracts', 'propose', 'anna', '--give', '1GiB'],
    daemon: NO_CONTRACT,
    exit: 22,
    stderr: /Store 1\.0 GiB.*which stores 1\.0 GiB/,
  },
  {
    bb: ['contracts', 'propose', 'anna', '--give', '1GiB', '--get', '2GiB', '-y', '--wait'],
    daemon: propose('COMPLETED'),
    exit: 0,
    stderr: /^\* Reaching the peer over Tor\n\* Done\n$/,
    data: { accepted: true, state: 'completed' },
  },
  {
    bb: ['contracts', 'propose', 'anna', '--give', '1GiB', '-y'],
    daemon: propose('PEER_REFUSED', 'over the budget'),
    exit: 15,
    stderr: /error: the peer refused: over the budget\nhint: /,
    data: { accepted: false },
  },
  {
    bb: ['contracts', 'propose', 'anna', '--give', '1GiB', '-y'],
    daemon: propose('PEER_REFUSED', 'the peer was first (CROSSED)'),
    exit: 15,
    stderr: /hint: When bb contracts list shows it, answer it/,
  },
  {
    bb: ['contracts', 'propose', 'anna', '--get', '1m', '-y'],
    daemon: propose('PENDING_PERSON'),
    exit: 0,
    stderr: /^\* With less than 16\.0 MiB, older revisions soon leave no room for new ones\n/,
    stdout: /a person/,
  },
  {
    bb: ['contracts', 'check', 'anna'],
    daemon: check('held'),
    exit: 0,
    stdout: /^held: the newest revision, 1\.0 MiB/,
  },
  { bb: ['contracts', 'check', 'anna'], daemon: check('wrong'), exit: 4, data: { outcome: 'wrong' } },
  { bb: ['contracts', 'check', 'anna'], daemon: check('late'), exit: 4 },
  { bb: ['contracts', 'check', 'anna'], daemon: check('unreachable'), exit: 14 },
  {
    bb: ['contracts', 'show', 'anna'],
    daemon: WAITING,
    exit: 0,
    stdout: /proposed +we store 12 B, they store 13 B.*bb contracts accept or reject/,
  },
  { bb: ['contracts', 'accept', 'anna'], daemon: WAITING, exit: 22, stderr: /Accept: we store 12 B, they store 13 B/ },
  { bb: ['contracts', 'accept', 'anna', '-y'], daemon: SETTLED, exit: 19, stderr: /no proposal of this peer waits/ },
  {
    bb: ['contracts', 'accept', 'anna', '-y'],
    daemon: answered(true),
    exit: 0,
    stdout: /^Accepted\.\n/,
    data: { told: true },
  },
  {
    bb: ['contracts', 'reject', 'anna', '-y'],
    daemon: answered(false),
    exit: 0,
    stdout: /^Rejected\. The peer could not be told yet/,
    data: { told: false },
  },
  { bb: ['contracts', 'end', 'anna'], daemon: SETTLED, exit: 22, stderr: /Give notice of 9 s to anna\?/ },
  { bb: ['contracts', 'end', 'anna', '-y'], daemon: OVER, exit: 15, stderr: /no contract with this peer to end/ },
  {
    bb: ['contracts', 'end', 'anna', '-y', '--notice', '60d'],
    daemon: answered(true),
    exit: 0,
    stdout: /^Notice of 60 d given\./,
  },
  {
    bb: ['contracts', 'end', 'anna', '-y', '--notice', '1s'],
    daemon: answered(true),
    exit: 0,
    stdout: /^Notice of 9 s \(the least that the terms allow\) given\./,
  },
  {
    bb: ['contracts', 'end', 'anna', '-y'],
    daemon: { ...SETTLED, endContract: async () => ({ contract: { ...CONTRACT, state: 'RELEASED' }, told: true }) },
    exit: 0,
    stdout: /^The contract is over\.\n/,
  },
  { bb: ['contracts', 'ledger', 'anna'], daemon: OVER, exit: 0, stdout: /^no contract stands/ },
  { bb: ['contracts', 'amend', 'anna'], exit: 2, stderr: /say what changes/ },
  { bb: ['contracts', 'amend', 'anna', '--give', '0'], exit: 2, stderr: /bb contracts end/ },
  {
    bb: ['contracts', 'amend', 'anna', '--hold', '14d'],
    daemon: { ...NO_CONTRACT, ...SETTLED },
    exit: 22,
    stderr: /hold 14d/,
  },
  { bb: ['contracts', 'amend', 'anna', '--hold', '14d'], daemon: OURS, exit: 15, stderr: /not answered yet/ },
  {
    bb: ['contracts', 'amend', 'anna', '--give', '2GiB', '-y'],
    daemon: { ...propose('COMPLETED'), ...SETTLED },
    exit: 0,
  },
  {
    bb: ['contracts', 'propose', 'anna', '--give', '4GiB'],
    daemon: NO_CONTRACT,
    exit: 16,
    stderr: /has 3\.0 GiB left/,
  },
  {
    bb: ['contracts', 'propose', 'anna', '--give', '1GiB'],
    daemon: { ...NO_CONTRACT, ...SETTLED },
    exit: 18,
    stderr: /bb contracts amend/,
  },
  {
    bb: ['contracts', 'amend', 'anna', '--give', '1GiB'],
    daemon: { ...NO_CONTRACT, ...WAITING },
    exit: 18,
    stderr: /error: a proposal of this peer waits for your answer\nhint: .*accept or reject/,
  },
  { bb: ['contracts', 'reject', 'anna'], daemon: OURS, exit: 22, stderr: /Take back: we store 12 B/ },
  {
    bb: ['contracts', 'reject', 'anna', '-y'],
    daemon: { ...answered(true), ...OURS },
    exit: 0,
    stdout: /^Taken back\./,
  },
  {
    bb: ['contracts', 'ledger', 'anna'],
    daemon: WAITING,
    exit: 0,
    stdout: /1970-01-01 00:00 +PROPOSED +ACTIVE +18 s +both signed\n$/,
    data: { peer: PEER, their_remaining_seconds: 2 },
  },
  { bb: ['config', 'list'], daemon: CONFIG, exit: 0, stdout: /^contracts.accept +added +whose/ },
  { bb: ['config', 'get', 'contracts.accept'], daemon: CONFIG, exit: 0, stdout: 'added\n', data: { value: 'added' } },
  { bb: ['config', 'get', 'bogus'], daemon: CONFIG, exit: 2, stderr: /bb config list/ },
  {
    bb: ['config', 'set', 'contracts.accept', 'nobody'],
    daemon: CONFIG,
    exit: 0,
    data: { settings: { 'contracts.accept': 'nobody' } },
  },
];

runRows(ROWS);
