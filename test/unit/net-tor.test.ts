// The parts around tor that need no tor: its configuration, its progress, its reply codes, the folder of its sockets.

import assert from 'node:assert/strict';
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, connect } from 'node:net';
import type { Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { SOCKET_PATH_BYTES } from '../../src/core/limits.ts';
import { prepareSocketDirectory } from '../../src/net/socket-directory.ts';
import { readBootstrap } from '../../src/net/tor/bootstrap.ts';
import { DescriptorUploads } from '../../src/net/tor/descriptor-uploads.ts';
import { findTor } from '../../src/net/tor/find-tor.ts';
import { socksConnect } from '../../src/net/tor/socks.ts';
import { testingNetwork, torrcText } from '../../src/net/tor/torrc.ts';
import { TorHost } from '../../src/net/tor/tor-host.ts';
import { keptLog } from '../net/kept-log.ts';
import { realClock } from '../net/real-clock.ts';
import { party, until } from '../contract/transport-fixture.ts';

const PEER = party(1).onion;

test('our lines of a torrc come last and cannot be broken out of', () => {
  const files = { stateDir: '/home/jo "x"\nSocksPort 9050\\ü', socketDir: '/run/bb' };
  const text = torrcText(files, 'UseBridges 1\nSocksPort 9999', 77);
  const lines = text.trimEnd().split('\n');
  assert.deepEqual(lines.slice(0, 2), ['UseBridges 1', 'SocksPort 9999']);
  assert.equal(lines.length, 11);
  assert.ok(lines.includes('DataDirectory "/home/jo \\042x\\042\\012SocksPort 9050\\134\\303\\274"'));
  assert.ok(lines.includes('SocksPort unix:/run/bb/socks OnionTrafficOnly ExtendedErrors'));
  assert.ok(lines.includes('__OwningControllerProcess 77'));
});

test('only a real line makes a test network', () => {
  for (const text of ['TestingTorNetwork 1', 'a 1\n  testingtornetwork   1 # yes\nb', 'TestingTorNetwork "1"']) {
    assert.ok(testingNetwork(text), text);
  }
  for (const text of [
    '',
    '#TestingTorNetwork 1',
    'TestingTorNetwork 0',
    'XTestingTorNetwork 1',
    'TestingTorNetwork 10',
  ]) {
    assert.ok(!testingNetwork(text), text);
  }
});

test('bootstrap progress is told in words, from a reply and from an event', () => {
  const info = 'NOTICE BOOTSTRAP PROGRESS=75 TAG=enough_dirinfo SUMMARY="Loaded enough directory info"';
  assert.deepEqual(readBootstrap(info), { percent: 75, words: 'knows enough relays' });
  const event = 'STATUS_CLIENT WARN BOOTSTRAP PROGRESS=10 TAG=new_tag SUMMARY="New thing" WARNING="No route to host"';
  assert.deepEqual(readBootstrap(event), { percent: 10, words: 'New thing, trouble: No route to host' });
  const closed = 'STATUS_CLIENT WARN BOOTSTRAP PROGRESS=5 TAG=conn SUMMARY="Connecting" WARNING="DONE" REASON=DONE';
  const words = 'connecting to the Tor network, trouble: a relay closed the connection';
  assert.deepEqual(readBootstrap(closed), { percent: 5, words });
  for (const bad of [
    '',
    'NOTICE CIRCUIT_ESTABLISHED',
    'N BOOTSTRAP PROGRESS=101',
    'N BOOTSTRAP PROGRESS=x',
    'N BOOTSTRAP ',
  ]) {
    assert.equal(readBootstrap(bad), undefined, bad);
  }
});

test('announced means both descriptors, at every directory that answered', () => {
  const uploads = new DescriptorUploads(PEER);
  const upload = (descriptor: string) =>
    uploads.take(`HS_DESC UPLOAD ${PEER} UNKNOWN $A~a ${descriptor} HSDIR_INDEX=0`);
  const end = (action: string) => uploads.take(`HS_DESC ${action} ${PEER} UNKNOWN $A~a`);
  end('FAILED');
  upload('next');
  upload('next');
  end('UPLOADED');
  assert.deepEqual([uploads.begun, uploads.complete], [true, false]);
  end('UPLOADED');
  assert.equal(uploads.complete, false);
  upload('now');
  uploads.take(`HS_DESC UPLOADED ${party(2).onion} UNKNOWN $A~a`);
  assert.equal(uploads.complete, false);
  end('FAILED');
  assert.equal(uploads.complete, true);
});

test('no tor is an error of its own', async () => {
  await assert.rejects(findTor('/nonexistent/tor', ''), { code: 'NO_TOR' });
  await assert.rejects(findTor('tor', process.env['PATH'] ?? ''), { code: 'NO_TOR' });
  const dir = mkdtempSync(join(tmpdir(), 'bb-find-'));
  writeFileSync(join(dir, 'tor'), '', { mode: 0o755 });
  assert.equal(await findTor(undefined, `relative:${dir}`), join(dir, 'tor'));
  rmSync(dir, { recursive: true });
});

test('without tor the host says so, refuses to dial, and takes note when tor is gone for good', async () => {
  const logger = keptLog();
  const files = { stateDir: '/nonexistent', socketDir: '/nonexistent' };
  const source = { kind: 'own', files, binary: '/nonexistent/tor', extraLines: '' } as const;
  const host = new TorHost({ source, backend: '/nonexistent/peer' }, { clock: realClock, logger });
  const phases: string[] = [];
  host.onState(({ phase }) => phases.push(phase));
  await host.publish(party(1).expandedKey, PEER);
  await host.start();
  await until(() => phases.includes('absent'));
  assert.throws(() => host.target(), { code: 'TOR_UNREACHABLE' });
  await assert.rejects(host.dial(PEER, 'x', 10), { code: 'TOR_UNREACHABLE' });
  assert.equal(host.state().published, false);
  assert.match(host.state().words, /tor/);
  await host.close();
  assert.deepEqual([phases[0], phases.at(-1)], ['starting', 'down']);
  assert.ok(logger.lines.every((line) => !line.includes(PEER)));
});

test('sockets go where they fit and where nobody else can enter', async () => {
  const root = mkdtempSync(join(tmpdir(), 'bb-sock-'));
  const name = 'd'.repeat(SOCKET_PATH_BYTES - 17 - root.length - 1);
  assert.equal(await prepareSocketDirectory(join(root, name), root), join(root, name));
  const fallback = await prepareSocketDirectory(join(root, `${name}d`), root);
  assert.match(fallback.slice(root.length), /^\/bb-[0-9a-f]{16}$/);
  assert.equal(await prepareSocketDirectory(join(root, `${name}d`), root), fallback);
  assert.notEqual(await prepareSocketDirectory(join(root, 'with space'), root), join(root, 'with space'));
  chmodSync(fallback, 0o755);
  await assert.rejects(prepareSocketDirectory(join(root, `${name}d`), root), { code: 'UNUSABLE_ENVIRONMENT' });
  mkdirSync(join(root, 'open'), { mode: 0o755 });
  await assert.rejects(prepareSocketDirectory(join(root, 'open'), root), { code: 'UNUSABLE_ENVIRONMENT' });
  rmSync(root, { recursive: true });
});

test('the onion and its isolation are what tor is asked for, and each refusal has its words', async () => {
  const asked: string[] = [];
  const reasons = [0x01, 0x04, 0x05, 0xf0, 0xf7, 0x77];
  for (const code of [0x00, ...reasons]) {
    await using proxy = await fakeSocks(code, asked);
    const socket = connect(proxy.path);
    const dialled = socksConnect(socket, PEER, 'me:1', 5000);
    if (code === 0) await dialled;
    else await assert.rejects(dialled, { code: 'PEER_UNREACHABLE', message: WORDS[code] });
    assert.equal(socket.destroyed, code !== 0);
    socket.destroy();
  }
  assert.equal(asked[0], `me:1 me:1 ${PEER}.onion:443`);
});

test('a SOCKS port that says nothing is left in time', async () => {
  await using proxy = await fakeSocks('silent', []);
  await assert.rejects(socksConnect(connect(proxy.path), PEER, 'x', 50), /did not answer in time/);
});

const WORDS: Readonly<Record<number, string>> = {
  0x01: 'tor could not open the stream',
  0x04: 'the onion service cannot be reached',
  0x05: 'the onion service is not there',
  0xf0: 'the onion service is unknown to Tor or offline',
  0xf7: 'the introduction timed out',
  0x77: 'tor gave an unknown reason',
};

/** Speaks SOCKS5 with a user name, then answers `code`. */
async function fakeSocks(code: number | 'silent', asked: string[]): Promise<{ path: string } & AsyncDisposable> {
  const dir = mkdtempSync(join(tmpdir(), 'bb-socks-'));
  const path = join(dir, 'socks');
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => undefined);
    let step = 0;
    let login = '';
    socket.on('data', (bytes) => {
      step += 1;
      if (code === 'silent') return;
      if (step === 1) socket.write(Buffer.of(5, 2));
      if (step === 2) {
        const user = bytes.subarray(2, 2 + (bytes[1] ?? 0)).toString();
        login = `${user} ${bytes.subarray(3 + user.length).toString()}`;
        socket.write(Buffer.of(1, 0));
      }
      if (step === 3) {
        const host = bytes.subarray(5, 5 + (bytes[4] ?? 0)).toString();
        asked.push(`${login} ${host}:${bytes.readUInt16BE(5 + host.length)}`);
        socket.write(Buffer.of(5, code, 0, 1, 0, 0, 0, 0, 0, 0));
      }
    });
  });
  await new Promise<void>((resolve) => server.listen(path, resolve));
  return {
    path,
    [Symbol.asyncDispose]: async () => {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
      rmSync(dir, { recursive: true });
    },
  };
}
