// tor's control protocol from its hostile side: broken lines, endless lines, data blocks, quoting.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createHmac, randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import type { Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { BbError } from '../../src/core/errors.ts';
import { CONTROL_LINE_BYTES, CONTROL_QUEUE_COMMANDS, CONTROL_REPLY_BYTES } from '../../src/core/limits.ts';
import { ControlClient } from '../../src/net/tor/control-client.ts';
import { ControlReader, keywordArguments, plainArgument, quoteArgument } from '../../src/net/tor/control-lines.ts';

const feed = (text: string) => new ControlReader().feed(Buffer.from(text, 'latin1'));

test('a reply, an event and a data block are read, whatever the pieces they come in', () => {
  const text = '250-first\r\n250+info=\r\nline\r\n..dotted\r\n.\r\n250 OK\r\n650 HS_DESC UPLOADED x\r\n';
  const expected = [
    {
      status: 250,
      lines: [
        { text: 'first', data: [] },
        { text: 'info=', data: ['line', '.dotted'] },
        { text: 'OK', data: [] },
      ],
    },
    { status: 650, lines: [{ text: 'HS_DESC UPLOADED x', data: [] }] },
  ];
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1, maxLength: 30 }), (sizes) => {
      const reader = new ControlReader();
      const replies = [];
      let from = 0;
      for (let at = 0; from < text.length; at++) {
        const size = sizes[at % sizes.length] ?? 1;
        replies.push(...reader.feed(Buffer.from(text.slice(from, from + size))));
        from += size;
      }
      assert.deepEqual(replies, expected);
    }),
  );
});

test('what is not the control protocol ends the connection', () => {
  for (const text of ['HTTP/1.1 400\r\n', '25 OK\r\n', '250OK\r\n', '750 OK\r\n', '\r\n', '250\r\n']) {
    assert.throws(() => feed(text), { code: 'TOR_UNREACHABLE' }, JSON.stringify(text));
  }
});

test('a line and a reply have a size', () => {
  const longest = `250 ${'a'.repeat(CONTROL_LINE_BYTES - 5)}\r`;
  assert.equal(feed(`${longest}\n`).length, 1);
  assert.throws(() => feed(`${longest}a\n`), { code: 'TOR_UNREACHABLE' });
  assert.throws(() => feed('a'.repeat(CONTROL_LINE_BYTES + 1)), { code: 'TOR_UNREACHABLE' });
  const block = `${'b'.repeat(1022)}\r\n`;
  const fits = Math.floor((CONTROL_REPLY_BYTES - 100) / 1022);
  assert.equal(feed(`250+x=\r\n${block.repeat(fits)}.\r\n250 OK\r\n`).length, 1);
  assert.throws(() => feed(`250+x=\r\n${block.repeat(fits + 2)}.\r\n250 OK\r\n`), { code: 'TOR_UNREACHABLE' });
});

test('random bytes are a reply, a refusal or more to come, never another error', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
      try {
        new ControlReader().feed(bytes);
      } catch (error) {
        assert.ok(error instanceof BbError);
      }
    }),
  );
});

test('quoted values come back as they were, octal escapes included', () => {
  fc.assert(
    fc.property(fc.string({ unit: fc.constantFrom('a', ' ', '"', '\\', '=', '~') }), (value) => {
      assert.equal(keywordArguments(`X KEY=${quoteArgument(value)} Z=1`).get('KEY'), value);
    }),
  );
  assert.equal(keywordArguments('COOKIEFILE="/a\\303\\274/b"').get('COOKIEFILE'), '/aü/b');
});

test('nothing that could end an argument or a line gets into a command', () => {
  for (const bad of ['a\nb', 'a\r', '\0', 'ü']) assert.throws(() => quoteArgument(bad), { code: 'BAD_CONFIG' });
  for (const bad of ['', 'a b', 'a"b', 'a\\b', 'a\n', 'ü'])
    assert.throws(() => plainArgument(bad), { code: 'BAD_CONFIG' });
  assert.equal(plainArgument('unix:/tmp/x-1.sock'), 'unix:/tmp/x-1.sock');
});

test('SAFECOOKIE proves the cookie to both sides', async () => {
  await using tor = await fakeTor('good');
  const client = await ControlClient.open(tor.path);
  assert.equal(client.version, '0.4.9.11');
  assert.equal(await client.getInfo('status/bootstrap-phase'), 'NOTICE BOOTSTRAP PROGRESS=100 TAG=done SUMMARY="Done"');
  await assert.rejects(client.command('BAD'), { status: 510 });
  await assert.rejects(client.command('A\r\nB'), { code: 'BAD_CONFIG' });
  client.close();
  await assert.rejects(client.command('GETINFO version'), { code: 'TOR_UNREACHABLE' });
});

test('something else on the control socket that cannot read the cookie is refused', async () => {
  await using tor = await fakeTor('wrong-cookie');
  await assert.rejects(ControlClient.open(tor.path), /it is not our tor/);
});

test('every waiting command ends with the connection, and only so many wait', async () => {
  await using tor = await fakeTor('good');
  const client = await ControlClient.open(tor.path);
  const waiting = Array.from({ length: CONTROL_QUEUE_COMMANDS + 1 }, () => client.command('HANG'));
  await assert.rejects(client.command('HANG'), /does not answer/);
  let isClosed = false;
  client.onClose(() => (isClosed = true));
  client.close();
  const results = await Promise.allSettled(waiting);
  assert.ok(results.every(({ status }) => status === 'rejected'));
  assert.ok(isClosed);
});

/** A control port with one cookie; `HANG` is never answered. */
async function fakeTor(mode: 'good' | 'wrong-cookie'): Promise<{ path: string } & AsyncDisposable> {
  const dir = mkdtempSync(join(tmpdir(), 'bb-control-'));
  const path = join(dir, 'control');
  const cookie = randomBytes(32);
  writeFileSync(join(dir, 'cookie'), mode === 'good' ? cookie : randomBytes(32));
  const hmac = (key: string, bytes: Buffer) => createHmac('sha256', key).update(bytes).digest('hex').toUpperCase();
  let expected = '';
  const answer = (line: string): string => {
    const [word = '', , hex = ''] = line.split(' ');
    if (word === 'PROTOCOLINFO') {
      const auth = `250-AUTH METHODS=COOKIE,SAFECOOKIE COOKIEFILE="${join(dir, 'cookie')}"`;
      return `250-PROTOCOLINFO 1\r\n${auth}\r\n250-VERSION Tor="0.4.9.11"\r\n250 OK\r\n`;
    }
    if (word === 'AUTHCHALLENGE') {
      const nonce = randomBytes(32);
      const material = Buffer.concat([cookie, Buffer.from(hex, 'hex'), nonce]);
      expected = hmac('Tor safe cookie authentication controller-to-server hash', material);
      const hash = hmac('Tor safe cookie authentication server-to-controller hash', material);
      return `250 AUTHCHALLENGE SERVERHASH=${hash} SERVERNONCE=${nonce.toString('hex').toUpperCase()}\r\n`;
    }
    if (word === 'AUTHENTICATE') return line.slice(13).toUpperCase() === expected ? '250 OK\r\n' : '515 no\r\n';
    if (word === 'GETINFO') {
      return '250-status/bootstrap-phase=NOTICE BOOTSTRAP PROGRESS=100 TAG=done SUMMARY="Done"\r\n250 OK\r\n';
    }
    return word === 'HANG' ? '' : '510 Unrecognized command\r\n';
  };
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => undefined);
    socket.on('data', (bytes) => {
      for (const line of bytes.toString().split('\r\n').filter(Boolean)) socket.write(answer(line));
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
