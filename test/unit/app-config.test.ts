// Where a time divisor is taken: only for a tor that we start ourselves on a test network.

import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { readConfig } from '../../src/app/config.ts';

const dir = mkdtempSync(join(tmpdir(), 'bb-config-'));
after(() => rmSync(dir, { recursive: true }));
const torrc = join(dir, 'test-net');
writeFileSync(torrc, 'TestingTorNetwork 1\n');
const control = join(dir, 'control');

function divisorOf(toml: string, args: Parameters<typeof readConfig>[0]): number {
  writeFileSync(join(dir, 'config.toml'), toml);
  return readConfig({ 'data-dir': dir, ...args }).timeDivisor;
}

test('a time divisor needs a test network of our own tor', () => {
  const divided = '[test]\ntime_divisor = 10\n';
  assert.equal(divisorOf(divided, { 'tor-config': torrc }), 10);
  assert.throws(() => divisorOf(divided, {}), { code: 'BAD_CONFIG', message: /TestingTorNetwork/ });
});

test('a level of logging that is none is refused with the way to the right ones', () => {
  const refused = { code: 'USAGE', message: /one of debug, info/, hint: 'See bbd --help.' };
  assert.throws(() => divisorOf('', { 'log-level': 'loud' }), refused);
});

test('a time divisor is refused with a running tor, whatever lines nobody uses', () => {
  const divided = '[test]\ntime_divisor = 10\n';
  const refused = { code: 'BAD_CONFIG', message: /tor-control/ };
  assert.throws(() => divisorOf(divided, { 'tor-config': torrc, 'tor-control': control }), refused);
  assert.throws(() => divisorOf(`${divided}[tor]\ncontrol = "${control}"\n`, { 'tor-config': torrc }), refused);
  assert.equal(divisorOf('[test]\ntime_divisor = 1\n', { 'tor-control': control }), 1);
});

test('a key that is none is named with its section', () => {
  const refused = (text: string, message: RegExp) =>
    assert.throws(() => divisorOf(text, {}), { code: 'BAD_CONFIG', message });
  refused('bogus = 1\n', /config\.toml: there is no setting "bogus"$/);
  refused('[tor]\nports = 1\nother = 2\n', /config\.toml: there is no setting "tor\.ports", "tor\.other"$/);
  refused('[log]\nlevel = "loud"\n', /config\.toml: log\.level: /);
});
