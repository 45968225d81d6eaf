// The words of the printed unit, read as systemd reads them, are the paths that were meant.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { systemdUnit } from '../../src/app/unit.ts';

const PROGRAM = '/opt/50% of $HOME/bbd';

/** What systemd makes of the command line: quotes and escapes, then %%, then $$ in all but the program. */
function wordsOf(unit: string): string[] {
  const [, line] = /^ExecStart=(.*)$/m.exec(unit) ?? assert.fail('no ExecStart');
  const words = [...(line ?? '').matchAll(/"((?:[^"\\]|\\.)*)"|(\S+)/g)].map(
    ([, inQuotes, plain]) => inQuotes ?? plain,
  );
  return words.map((word, index) => {
    const path = (word ?? '')
      .replace(/\\(?:u([0-9a-f]{4})|(.))/g, (_, hex, char) => (hex ? String.fromCharCode(parseInt(hex, 16)) : char))
      .replaceAll('%%', '%');
    return index === 0 ? path : path.replaceAll('$$', '$');
  });
}

for (const path of [
  '/home/ada/.local/share/barterbackup',
  '/srv/two words/and\ttab',
  '/srv/50%h',
  '/srv/$HOME/${USER}',
  '/srv/"quoted"\\n',
  "/srv/it's",
  '/srv/line\nRestart=always',
  '/srv/Zoë',
]) {
  test(`a path survives: ${JSON.stringify(path)}`, () => {
    const unit = systemdUnit(PROGRAM, path, 'ada');
    assert.deepEqual(wordsOf(unit), [PROGRAM, '--data-dir', path]);
    assert.equal(unit.split('\n').length, systemdUnit('/bbd', '/d', 'ada').split('\n').length);
    assert.doesNotMatch(unit, /(^|[^%])(%%)*%([^%]|$)/m);
  });
}

test('the unit runs as the user who printed it', () => {
  assert.match(systemdUnit('/bbd', '/d', 'ada'), /^User=ada$/m);
});

test('a program that systemd would refuse is refused at once', () => {
  for (const path of ['/a"b', "/a'b", '/a\\b', '/a\nb']) {
    assert.throws(() => systemdUnit(path, '/d', 'ada'), { code: 'UNUSABLE_ENVIRONMENT' }, path);
  }
});
