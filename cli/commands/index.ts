// The commands of bb, one row each; a row loads its file only when it runs. `bb help` is made of this list.

import type { Command } from '../context.ts';
import { SECRET_OPTIONS } from '../secret-options.ts';
import type { PeerDecision } from './peers-change.ts';

const NO_START = ['--no-start', 'do not start the daemon; exit 13 when none answers'] as const;
const PATH_B64 = ['--path-b64 <base64>', 'in place of a name that is not UTF-8: path_b64 of --json'] as const;
const FORCE = ['--force', 'overwrite files that exist'] as const;

async function decision(name: PeerDecision) {
  return { run: (await import('./peers-change.ts')).deciding(name) };
}

export const COMMANDS: readonly Command[] = [
  {
    words: '',
    summary: 'the verdict, or the first steps',
    load: () => import('./overview.ts'),
  },
  {
    words: 'init',
    summary: 'make the identity of this node: 24 new words, or a secret of your own',
    options: [
      ['--generate', 'generate 24 words (the default)'],
      ['--kit-file <file>', 'write the 24 words to a new file instead of showing them'],
      ['--recover', 'the secret exists already: rebuild this node from its peers'],
      ['--new', 'the typed secret was never used: start with empty content'],
      ['--own-password', 'use your own password and an account name instead of words'],
      ['--account <name>', 'account name of your own password'],
      ['--allow-weak-password', 'lower the strength gate'],
      ['--name <name>', 'what friends call this machine'],
      NO_START,
      ...SECRET_OPTIONS,
    ],
    load: () => import('./init.ts'),
  },
  {
    words: 'init complete',
    summary: 'end a recovery and let this node publish again',
    options: [['--accept-loss', 'give up what nobody could give back']],
    streams: true,
    load: () => import('./init-complete.ts'),
  },
  {
    words: 'unlock',
    summary: 'give the secret to the daemon; starts the daemon when none runs',
    options: [NO_START, ...SECRET_OPTIONS],
    load: () => import('./unlock.ts'),
  },
  { words: 'lock', summary: 'wipe the keys and leave the network', load: () => import('./lock.ts') },
  {
    words: 'status',
    summary: 'can I recover today, since when is that proven, what do I have to do',
    options: [
      ['--watch', 'show it again at each change'],
      ['--wait <state>', 'wait until "protected" or "idle" (exit 20 with --timeout)'],
      ['--check', 'exit 4 unless PROTECTED'],
    ],
    streams: (options) => options['watch'] === true,
    load: () => import('./status.ts'),
  },
  { words: 'identity show', summary: 'your address, to give to a friend', load: () => import('./identity-show.ts') },
  {
    words: 'connect',
    args: '<peer>',
    summary: 'add a peer by its onion id or bb: URI and reach it',
    options: [
      ['--name <name>', 'what you call this peer'],
      ['--no-wait', 'return at once; the daemon keeps trying'],
    ],
    load: () => import('./connect.ts'),
  },
  { words: 'peers list', summary: 'the known peers', load: () => import('./peers-list.ts') },
  { words: 'peers show', args: '<peer>', summary: 'one peer', load: () => import('./peers-show.ts') },
  {
    words: 'peers rename',
    args: '<peer> <name>',
    summary: 'call a peer something else',
    load: () => decision('rename'),
  },
  {
    words: 'peers pin',
    args: '<peer>',
    summary: 'prefer a peer as a storer, and count it as added',
    load: () => decision('pin'),
  },
  {
    words: 'peers unpin',
    args: '<peer>',
    summary: 'take that back',
    load: () => decision('unpin'),
  },
  {
    words: 'peers limit',
    args: '<peer> <size>',
    summary: 'the most that is promised to a peer; 0 for no limit of its own',
    load: () => decision('limit'),
  },
  {
    words: 'peers block',
    args: '<peer>',
    summary: 'neither answer nor call a peer',
    load: () => decision('block'),
  },
  {
    words: 'peers unblock',
    args: '<peer>',
    summary: 'take that back',
    load: () => decision('unblock'),
  },
  {
    words: 'peers remove',
    args: '<peer>',
    summary: 'forget a peer without a contract',
    load: () => decision('remove'),
  },
  { words: 'peers ping', args: '<peer>', summary: 'time one call to a peer', load: () => import('./peers-ping.ts') },
  {
    words: 'setfile',
    args: '[path]',
    summary: 'set a file or folder to what is on disk now, in one new revision',
    options: [
      ['--as <name>', 'the name it gets; the last part of the path by default'],
      ['--stdin', 'take the bytes of one file from standard input (needs --as)'],
    ],
    streams: true,
    load: () => import('./setfile.ts'),
  },
  {
    words: 'getfile',
    args: '[name] [out]',
    summary: 'write a file or folder to OUT, or (no OUT, or -) to a pipe, a folder as tar',
    options: [FORCE, PATH_B64],
    load: () => import('./getfile.ts'),
  },
  {
    words: 'listfiles',
    args: '[name]',
    summary: 'the files at or below a name',
    options: [PATH_B64],
    load: () => import('./listfiles.ts'),
  },
  {
    words: 'rmfile',
    args: '[name]',
    summary: 'remove a name and everything below it in a new revision',
    options: [['--dry-run', 'only count'], PATH_B64],
    load: () => import('./rmfile.ts'),
  },
  {
    words: 'storage show',
    summary: 'what is stored for peers, and the settings',
    load: () => import('./storage-show.ts'),
  },
  {
    words: 'storage set',
    summary: 'change the settings of storage',
    options: [
      ['--limit <size>', 'store at most this for peers'],
      ['--min-replicas <count>', 'verified replicas that mean PROTECTED'],
      ['--break-promises <peers>', 'these peers, separated by commas, lose their bytes for a smaller limit'],
    ],
    load: () => import('./storage-set.ts'),
  },
  {
    words: 'storage held',
    summary: 'what lies here for whom, and until when',
    load: () => import('./storage-held.ts'),
  },
  {
    words: 'storage verify',
    summary: 'read every own and held cell; bad ones are healed or confessed (0 good, 4 something to do)',
    streams: true,
    load: () => import('./storage-verify.ts'),
  },
  {
    words: 'storage gc',
    summary: 'let go what no promise keeps',
    options: [['--evict', 'replicas whose remaining seconds are used up as well']],
    load: () => import('./storage-gc.ts'),
  },
  {
    words: 'contracts propose',
    args: '<peer>',
    summary: 'offer mutual storage to a peer',
    options: [
      ['--give <size>', 'what you store for the peer; as --get by default'],
      ['--get <size>', 'what the peer stores for you; as --give by default'],
      ['--term <duration>', 'how long; open by default'],
      ['--hold <duration>', 'how long older revisions are kept'],
      ['--wait', 'wait for the person at the other side too'],
    ],
    load: () => import('./contracts-propose.ts'),
  },
  {
    words: 'contracts amend',
    args: '<peer>',
    summary: 'change the terms of a contract that stands',
    options: [
      ['--give <size>', 'what you store for the peer'],
      ['--get <size>', 'what the peer stores for you'],
      ['--term <duration>', 'how long'],
      ['--hold <duration>', 'how long older revisions are kept'],
      ['--wait', 'wait for the person at the other side too'],
    ],
    load: () => import('./contracts-amend.ts'),
  },
  {
    words: 'contracts accept',
    args: '<peer>',
    summary: 'accept what a peer proposed',
    load: () => import('./contracts-accept.ts'),
  },
  {
    words: 'contracts reject',
    args: '<peer>',
    summary: 'refuse what a peer proposed, or take back what you proposed',
    load: () => import('./contracts-reject.ts'),
  },
  {
    words: 'contracts end',
    args: '<peer>',
    summary: 'give notice; the bytes stay until it is over',
    options: [['--notice <duration>', 'longer than that of the terms, which is the least']],
    load: () => import('./contracts-end.ts'),
  },
  { words: 'contracts list', summary: 'the contracts', load: () => import('./contracts-list.ts') },
  { words: 'contracts show', args: '<peer>', summary: 'one contract', load: () => import('./contracts-show.ts') },
  {
    words: 'contracts ledger',
    args: '<peer>',
    summary: 'what each side owes, and every step of the contract with its reason',
    load: () => import('./contracts-ledger.ts'),
  },
  {
    words: 'contracts check',
    args: '<peer>',
    summary: 'let a peer prove that it holds your content (0 held, 4 wrong or late, 14 unreachable)',
    load: () => import('./contracts-check.ts'),
  },
  {
    words: 'recover',
    summary: 'bring everything back from peers',
    options: [
      ['--from <peer>', 'a peer that is known to hold it, by name if it is known here'],
      ['--to <dir>', 'write the files to this folder when they are here'],
      ['--wait', 'stay until it is done'],
      ['--accept-seq <number>', 'take this revision as the newest, without waiting for more peers'],
      FORCE,
    ],
    streams: true,
    load: () => import('./recover.ts'),
  },
  { words: 'jobs list', summary: 'long work that runs now', load: () => import('./jobs-list.ts') },
  {
    words: 'jobs attach',
    args: '[job]',
    summary: 'follow a job to its end, whoever started it (0 done, 3 not); leaving stops nothing',
    streams: true,
    load: () => import('./jobs-attach.ts'),
  },
  {
    words: 'events',
    summary: 'what happened in the daemon since it was unlocked, the last 256 events',
    options: [['--follow', 'what happens from now on, until interrupted']],
    streams: true,
    load: () => import('./events.ts'),
  },
  { words: 'config list', summary: 'the settings that are policy', load: () => import('./config-list.ts') },
  { words: 'config get', args: '<key>', summary: 'one setting', load: () => import('./config-get.ts') },
  {
    words: 'config set',
    args: '<key> <value>',
    summary: 'change a setting; it is in the backup',
    load: () => import('./config-set.ts'),
  },
  {
    words: 'doctor',
    summary: 'look at all that this node stands on (0 in order, 4 something to do)',
    options: [
      ['--fix', 'put in order what can be put in order here; what is replaced is kept'],
      ['--read-data', 'read and verify every cell (unlocked)'],
      NO_START,
    ],
    streams: true,
    load: () => import('./doctor.ts'),
  },
  { words: 'config path', summary: 'where config, data, socket and log are', load: () => import('./config-path.ts') },
  { words: 'version', summary: 'the version of bb', load: () => import('./version.ts') },
];
