// How a secret reaches bb: prompt, standard input, file, command, descriptor or systemd credential. Never an argument,
// which every user of the machine could read.
// Invariant: exactly one channel is used, and the Buffer that holds the secret is wiped by the caller after the call.

import { spawn } from 'node:child_process';
import { createReadStream } from 'node:fs';
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { BbError } from '../src/core/errors.ts';
import { SECRET_BYTES } from '../src/core/limits.ts';
import { askSecret } from './ask-secret.ts';
import { cliError } from './errors.ts';

/** Before it is normalised a secret may be longer: spaces between words, decomposed letters. */
const TYPED_BYTES = 4 * SECRET_BYTES;
const OTHERS = 0o077;
const CREDENTIAL = 'bb-password';
const ALL_FLAGS = '--password-file, --password-stdin, --password-command or --password-fd';

export type SecretSources = {
  readonly stdin?: boolean | undefined;
  readonly file?: string | undefined;
  readonly command?: string | undefined;
  readonly fd?: string | undefined;
  /** `$CREDENTIALS_DIRECTORY`; used when no option names a channel. */
  readonly credentialsDir?: string | undefined;
};

export function secretSources(options: Readonly<Record<string, unknown>>): SecretSources {
  return {
    stdin: options['passwordStdin'] === true,
    file: options['passwordFile'] as string | undefined,
    command: options['passwordCommand'] as string | undefined,
    fd: options['passwordFd'] as string | undefined,
    credentialsDir: process.env['CREDENTIALS_DIRECTORY'],
  };
}

/** True when an option names a channel, so that no prompt is wanted. */
export function hasSecretOption(sources: SecretSources): boolean {
  return channels(sources) > 0;
}

/** USAGE when it is clear before anything is done that `readSecret` will get none, or more than one. */
export function requireChannel(sources: SecretSources, canAsk: boolean): void {
  if (channels(sources) > 1) throw new BbError('USAGE', 'give the secret by one channel only');
  if (channels(sources) === 0 && sources.credentialsDir === undefined && !canAsk) throw noSecret();
}

/**
 * The secret as UTF-8 without its final newline. `question` is asked on a terminal when no channel is given; without a
 * terminal that is USAGE with the options to use.
 */
export async function readSecret(
  sources: SecretSources,
  question: string,
  canAsk: boolean,
  warn: (text: string) => void,
): Promise<Buffer> {
  requireChannel(sources, canAsk);
  const secret = await fromChannel(sources, warn);
  if (secret !== undefined) return trimmed(secret);
  if (!canAsk) throw noSecret();
  return trimmed(await askSecret(question));
}

function noSecret(): BbError {
  return new BbError('USAGE', 'a secret is needed and there is no terminal to ask for it', {
    hint: `Use ${ALL_FLAGS}.`,
  });
}

function channels({ stdin, file, command, fd }: SecretSources): number {
  return [stdin === true, file !== undefined, command !== undefined, fd !== undefined].filter(Boolean).length;
}

async function fromChannel(sources: SecretSources, warn: (text: string) => void): Promise<Buffer | undefined> {
  if (sources.stdin === true) return collect(process.stdin);
  if (sources.file !== undefined) return fromFile(sources.file, warn);
  if (sources.command !== undefined) return fromCommand(sources.command);
  if (sources.fd !== undefined) return fromDescriptor(sources.fd);
  if (sources.credentialsDir === undefined) return undefined;
  return fromFile(join(sources.credentialsDir, CREDENTIAL), () => undefined).catch((error: unknown) => {
    if (error instanceof BbError && error.code === 'NOT_FOUND') return undefined;
    throw error;
  });
}

async function fromFile(path: string, warn: (text: string) => void): Promise<Buffer> {
  const file = await open(path, 'r').catch((error: unknown) => {
    throw cliError(error);
  });
  try {
    const stat = await file.stat();
    if (stat.isDirectory()) {
      throw new BbError('USAGE', `${path} is a folder`, { hint: '--password-file takes a file.' });
    }
    if (stat.isFile() && (stat.mode & OTHERS) !== 0) {
      warn('other users of this machine can read the secret file; run chmod 600 on it');
    }
    return await collect(file.createReadStream({ autoClose: false }));
  } finally {
    await file.close();
  }
}

async function fromCommand(command: string): Promise<Buffer> {
  const child = spawn('/bin/sh', ['-c', command], { stdio: ['ignore', 'pipe', 'inherit'] });
  const ended = new Promise<number | null>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', resolve);
  });
  const secret = await collect(child.stdout).catch((error: unknown) => {
    child.kill();
    throw error;
  });
  const status = await ended;
  if (status === 0) return secret;
  secret.fill(0);
  throw new BbError('USAGE', `the password command failed with status ${status ?? 'of a signal'}`);
}

function fromDescriptor(text: string): Promise<Buffer> {
  if (!/^\d{1,6}$/.test(text)) throw new BbError('USAGE', '--password-fd takes the number of an open descriptor');
  return collect(createReadStream('', { fd: Number(text), autoClose: false }));
}

/** All bytes of a stream, at most TYPED_BYTES. */
async function collect(stream: Readable): Promise<Buffer> {
  const parts: Buffer[] = [];
  let bytes = 0;
  try {
    for await (const part of stream as AsyncIterable<Buffer>) {
      parts.push(part);
      bytes += part.length;
      if (bytes > TYPED_BYTES) throw new BbError('USAGE', `a secret has at most ${TYPED_BYTES} bytes`);
    }
  } catch (error) {
    for (const part of parts) part.fill(0);
    throw cliError(error);
  }
  const secret = Buffer.concat(parts);
  for (const part of parts) part.fill(0);
  return secret;
}

/** Without one final newline; USAGE when nothing is left. */
function trimmed(secret: Buffer): Buffer {
  let end = secret.length;
  if (end > 0 && secret[end - 1] === 0x0a) end -= 1;
  if (end > 0 && secret[end - 1] === 0x0d) end -= 1;
  if (end === 0) throw new BbError('USAGE', 'the secret is empty');
  return secret.subarray(0, end);
}
