// What the commands about one peer say, against a scripted daemon.

import type { LocalApi } from '../../src/daemon/local-api.ts';
import { PEER_VIEW } from '../contract/rpc-local-fixture.ts';
import { runRows } from './rows.ts';
import type { Row } from './rows.ts';

const CHANGED: Partial<LocalApi> = {
  peers: async () => [{ ...PEER_VIEW, contractState: '', pinned: true }],
  changePeer: async (_, change) =>
    change.kind === 'remove'
      ? undefined
      : { ...PEER_VIEW, name: change.kind === 'rename' ? change.name : PEER_VIEW.name, pinned: change.kind === 'pin' },
  pingPeer: async () => 512.4,
};

const ROWS: readonly Row[] = [
  {
    bb: ['peers', 'rename', 'anna', 'anna-nas'],
    daemon: CHANGED,
    exit: 0,
    stdout: 'The peer is called anna-nas now.\n',
  },
  { bb: ['peers', 'rename', 'anna'], exit: 2 },
  { bb: ['peers', 'pin', 'anna'], daemon: CHANGED, exit: 0, stdout: /^Pinned/ },
  { bb: ['peers', 'unpin', 'anna'], daemon: CHANGED, exit: 0, stdout: /^Not pinned/ },
  { bb: ['peers', 'limit', 'anna', '2GiB'], daemon: CHANGED, exit: 0, stdout: 'At most 2.0 GiB.\n' },
  { bb: ['peers', 'limit', 'anna', '0'], daemon: CHANGED, exit: 0, stdout: 'No limit of its own.\n' },
  { bb: ['peers', 'limit', 'anna', 'much'], exit: 2 },
  ...['show', 'pin', 'unpin', 'block', 'unblock', 'remove', 'ping'].map(
    (word): Row => ({
      bb: ['peers', word, '', '-y'],
      daemon: CHANGED,
      exit: 2,
      stdout: '',
      stderr: /error: no peer was named\nhint: /,
    }),
  ),
  { bb: ['recover', '--from', ''], exit: 2, stdout: '', stderr: /error: no peer was named\nhint: / },
  {
    bb: ['peers', 'unpin', 'anna'],
    daemon: { ...CHANGED, peers: async () => [{ ...PEER_VIEW, pinned: false }] },
    exit: 0,
    stdout: /^It was not pinned/,
  },
  {
    bb: ['peers', 'unblock', 'anna'],
    daemon: { ...CHANGED, peers: async () => [{ ...PEER_VIEW, blocked: false }] },
    exit: 0,
    stdout: /^It was not blocked/,
  },
  {
    bb: ['peers', 'unblock', 'anna'],
    daemon: { ...CHANGED, peers: async () => [{ ...PEER_VIEW, blocked: true }] },
    exit: 0,
    stdout: /^Not blocked any more/,
  },
  { bb: ['peers', 'block', 'anna'], daemon: CHANGED, exit: 22, stderr: /Block this peer\?/ },
  { bb: ['peers', 'block', 'nobody'], daemon: CHANGED, exit: 19 },
  { bb: ['peers', 'remove', 'anna'], daemon: { peers: async () => [PEER_VIEW] }, exit: 18, stderr: /bb contracts end/ },
  { bb: ['peers', 'block', 'anna', '-y'], daemon: CHANGED, exit: 0, stdout: /^Blocked/ },
  { bb: ['peers', 'remove', 'anna', '-y'], daemon: CHANGED, exit: 0, stdout: 'Forgotten.\n', data: { peer: null } },
  {
    bb: ['peers', 'ping', 'anna'],
    daemon: CHANGED,
    exit: 0,
    stdout: 'Answered in 512 ms.\n',
    data: { milliseconds: 512 },
  },
];

runRows(ROWS);
