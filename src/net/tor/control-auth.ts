// Authentication at tor's control port (control-spec, PROTOCOLINFO, AUTHCHALLENGE): SAFECOOKIE where tor offers it,
// which proves to each side that the other can read the cookie file; else the plain cookie, else nothing.

import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { BbError } from '../../core/errors.ts';
import { keywordArguments, malformed } from './control-lines.ts';
import type { ControlReply } from './control-lines.ts';

export type SendCommand = (line: string) => Promise<ControlReply>;

const COOKIE_BYTES = 32;
const NONCE_BYTES = 32;
const SERVER_KEY = 'Tor safe cookie authentication server-to-controller hash';
const CLIENT_KEY = 'Tor safe cookie authentication controller-to-server hash';

/** Authenticates and returns tor's version. TOR_UNREACHABLE when tor wants something we do not have. */
export async function authenticate(send: SendCommand): Promise<string> {
  const info = await send('PROTOCOLINFO 1');
  const auth = lineOf(info, 'AUTH ');
  const version = keywordArguments(lineOf(info, 'VERSION ')).get('Tor') ?? '';
  const methods = (keywordArguments(auth).get('METHODS') ?? '').split(',');
  const cookieFile = keywordArguments(auth).get('COOKIEFILE') ?? '';
  if (methods.includes('SAFECOOKIE')) await proveCookie(send, await readCookie(cookieFile));
  else if (methods.includes('COOKIE')) await send(`AUTHENTICATE ${(await readCookie(cookieFile)).toString('hex')}`);
  else if (methods.includes('NULL')) await send('AUTHENTICATE');
  else throw new BbError('TOR_UNREACHABLE', 'tor wants a control password; set CookieAuthentication 1 in its torrc');
  return version;
}

async function proveCookie(send: SendCommand, cookie: Buffer): Promise<void> {
  const clientNonce = randomBytes(NONCE_BYTES);
  const challenge = lineOf(await send(`AUTHCHALLENGE SAFECOOKIE ${clientNonce.toString('hex')}`), 'AUTHCHALLENGE ');
  const words = keywordArguments(challenge);
  const serverHash = fromHex(words.get('SERVERHASH'));
  const serverNonce = fromHex(words.get('SERVERNONCE'));
  const material = Buffer.concat([cookie, clientNonce, serverNonce]);
  if (!timingSafeEqual(serverHash, createHmac('sha256', SERVER_KEY).update(material).digest())) {
    throw new BbError(
      'TOR_UNREACHABLE',
      'what answers on the control socket cannot read the cookie: it is not our tor',
    );
  }
  await send(`AUTHENTICATE ${createHmac('sha256', CLIENT_KEY).update(material).digest('hex')}`);
  cookie.fill(0);
}

async function readCookie(file: string): Promise<Buffer> {
  const cookie = await readFile(file).catch((cause: unknown) => {
    throw new BbError('TOR_UNREACHABLE', "tor's cookie file cannot be read: run bbd as a user of tor's group", {
      cause,
    });
  });
  if (cookie.length !== COOKIE_BYTES) throw malformed('the cookie has a wrong size');
  return cookie;
}

function lineOf(reply: ControlReply, start: string): string {
  const found = reply.lines.find(({ text }) => text.startsWith(start));
  if (found === undefined) throw malformed(`no ${start.trim()} line`);
  return found.text;
}

function fromHex(text: string | undefined): Buffer {
  if (text === undefined || !/^[0-9A-Fa-f]{64}$/.test(text)) throw malformed('a bad nonce or hash');
  return Buffer.from(text, 'hex');
}
