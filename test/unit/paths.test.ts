// Where things lie: what wins, and that a socket path always fits and is never shared.

import assert from 'node:assert/strict';
import { resolve } from 'node:path';
import { test } from 'node:test';
import { SOCKET_PATH_BYTES } from '../../src/core/limits.ts';
import { nodePaths } from '../../src/core/paths.ts';

const sources = (env: Record<string, string> = {}) => ({
  env,
  home: '/home/ada',
  uid: 1000,
  absolute: (path: string) => resolve('/cwd', path),
});
const NEAR = '/sock/bb.sock'.length;

test('the XDG directories without a choice, and what a variable changes', () => {
  assert.deepEqual(nodePaths({}, sources()), {
    dataDir: '/home/ada/.local/share/barterbackup',
    configFile: '/home/ada/.config/barterbackup/config.toml',
    socket: '/home/ada/.local/share/barterbackup/sock/bb.sock',
    logFile: '/home/ada/.local/state/barterbackup/bbd.log',
  });
  const moved = nodePaths({}, sources({ XDG_DATA_HOME: '/d/', XDG_CONFIG_HOME: 'relative', XDG_STATE_HOME: '/s' }));
  assert.equal(moved.dataDir, '/d/barterbackup');
  assert.equal(moved.configFile, '/home/ada/.config/barterbackup/config.toml');
  assert.equal(moved.logFile, '/s/barterbackup/bbd.log');
});

test('an explicit data directory holds everything; the command line wins over the environment', () => {
  assert.deepEqual(nodePaths({ dataDir: 'node' }, sources({ BB_DATA_DIR: '/other', XDG_CONFIG_HOME: '/c' })), {
    dataDir: '/cwd/node',
    configFile: '/cwd/node/config.toml',
    socket: '/cwd/node/sock/bb.sock',
    logFile: '/cwd/node/bbd.log',
  });
  assert.equal(nodePaths({}, sources({ BB_DATA_DIR: '/other/' })).dataDir, '/other');
  assert.equal(nodePaths({}, sources({ BB_DATA_DIR: '' })).dataDir, '/home/ada/.local/share/barterbackup');
  const said = nodePaths({ dataDir: '/d', configFile: 'c.toml', socket: 's' }, sources());
  assert.deepEqual([said.configFile, said.socket], ['/cwd/c.toml', '/cwd/s']);
});

test('the longest socket path that fits stays in the data directory; one byte more moves', () => {
  const fits = `/${'d'.repeat(SOCKET_PATH_BYTES - NEAR - 1)}`;
  assert.equal(nodePaths({ dataDir: fits }, sources()).socket, `${fits}/sock/bb.sock`);
  for (const long of [`${fits}d`, `${fits}dd`, `/${'é'.repeat(60)}`]) {
    const { socket } = nodePaths({ dataDir: long }, sources({ XDG_RUNTIME_DIR: '/run/user/1000' }));
    assert.match(socket, /^\/run\/user\/1000\/barterbackup-[0-9a-f]{16}\/bb\.sock$/);
    assert.ok(Buffer.byteLength(socket) <= SOCKET_PATH_BYTES);
  }
  const socket = (dataDir: string): string => nodePaths({ dataDir }, sources()).socket;
  assert.match(socket(`${fits}d`), /^\/tmp\/barterbackup-1000\/barterbackup-[0-9a-f]{16}\/bb\.sock$/);
  assert.notEqual(socket(`${fits}d`), socket(`${fits}e`));
});
