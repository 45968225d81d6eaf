// How secrets reach bb and leave it: every channel once, never by an argument, never into a file that others can read.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { chmod, open, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { BbError } from '../../src/core/errors.ts';
import type { InitArgs, LocalApi } from '../../src/daemon/local-api.ts';
import { PEER_VIEW, STATUS } from '../contract/rpc-local-fixture.ts';
import { BB, cleanEnv, EMPTY, LOCKED, rigWith, UNLOCKED } from './rig.ts';
import type { Rig } from './rig.ts';

const ONION = PEER_VIEW.onionId;
const WORDS = Array.from({ length: 24 }, (_, at) => `word${at + 1}`);
const SECRET = 'correct horse äöü';
const TYPED_BYTES = 4096;

type Heard = { secrets: string[]; inits: (Omit<InitArgs, 'secret'> & { secret: string })[] };

function listening(): { heard: Heard; script: Partial<LocalApi> } {
  const heard: Heard = { secrets: [], inits: [] };
  return {
    heard,
    script: {
      async unlock(secret) {
        heard.secrets.push(secret.toString());
        if (secret.toString() === 'wrong') throw new BbError('WRONG_SECRET', 'the secret is wrong');
        return { onionId: ONION };
      },
      async init(args) {
        heard.inits.push({ ...args, secret: args.secret.toString() });
        return { words: args.generate ? WORDS : [], onionId: ONION };
      },
    },
  };
}

test('unlock takes the secret by each channel, without its final newline', async () => {
  const { heard, script } = listening();
  await using rig = await rigWith({ ...LOCKED, ...script });
  const file = join(rig.home, 'secret');
  await writeFile(file, `${SECRET}\n`, { mode: 0o600 });
  const handle = await open(file);
  await writeFile(join(rig.home, 'bb-password'), SECRET, { mode: 0o600 });
  const runs = [
    await rig.bb(['unlock', '--password-stdin'], { input: `${SECRET}\r\n` }),
    await rig.bb(['unlock', '--password-file', 'secret']),
    await rig.bb(['unlock', '--password-command', 'cat secret']),
    await rig.bb(['unlock', '--password-fd', '3'], { descriptor: handle.fd }),
    await rig.bb(['unlock'], { env: { CREDENTIALS_DIRECTORY: rig.home } }),
  ];
  await handle.close();
  for (const ran of runs) assert.deepEqual([ran.exit, ran.stderr], [0, '']);
  assert.equal(runs[0]?.stdout, `Unlocked. Your address: bb:${ONION}\n`);
  assert.deepEqual(heard.secrets, Array(5).fill(SECRET));
});

test('what is refused about a secret', async () => {
  const { heard, script } = listening();
  await using rig = await rigWith({ ...LOCKED, ...script });
  await writeFile(join(rig.home, 'long'), 'x'.repeat(TYPED_BYTES + 1), { mode: 0o600 });
  await writeFile(join(rig.home, 'empty'), '\n', { mode: 0o600 });
  const table: readonly [string[], number, RegExp][] = [
    [['unlock'], 2, /hint: Use --password-file, --password-stdin, --password-command or --password-fd\.\n$/],
    [['unlock', '--password-stdin', '--password-file', 'empty'], 2, /by one channel only/],
    [['unlock', '--password-stdin'], 2, /the secret is empty/],
    [['unlock', '--password-file', 'empty'], 2, /the secret is empty/],
    [['unlock', '--password-file', 'none'], 19, /none: no such file/],
    [['unlock', '--password-file', '.'], 2, /^error: \. is a folder\nhint: --password-file takes a file\.\n$/],
    [['unlock', '--password-file', 'long'], 2, /at most 4096 bytes/],
    [['unlock', '--password-command', 'echo no; exit 3'], 2, /failed with status 3/],
    [['unlock', '--password-command', 'exec yes'], 2, /at most 4096 bytes/],
    [['unlock', '--password-fd', 'x'], 2, /number of an open descriptor/],
    [['unlock', '--password-fd', '77'], 69, /bad file descriptor/],
    [['unlock', SECRET], 2, /too many arguments/],
    [['unlock', '--password', SECRET], 2, /unknown option/],
  ];
  for (const [args, exit, stderr] of table) {
    const ran = await rig.bb(args);
    assert.equal(ran.exit, exit, `${args.join(' ')}: ${ran.stderr}`);
    assert.match(ran.stderr, stderr);
  }
  assert.deepEqual(heard.secrets, []);
  assert.equal((await rig.bb(['unlock', '--password-stdin'], { input: 'wrong' })).exit, 12);
  await writeFile(join(rig.home, 'most'), 'x'.repeat(TYPED_BYTES), { mode: 0o600 });
  assert.equal((await rig.bb(['unlock', '--password-file', 'most'])).exit, 0);
});

test('a secret file that others can read is used with a warning', async () => {
  const { script } = listening();
  await using rig = await rigWith({ ...LOCKED, ...script });
  await writeFile(join(rig.home, 'secret'), SECRET);
  await chmod(join(rig.home, 'secret'), 0o640);
  const { exit, body } = await rig.json(['unlock', '--password-file', 'secret']);
  assert.equal(exit, 0);
  assert.deepEqual(body.warnings, ['other users of this machine can read the secret file; run chmod 600 on it']);
});

test('unlock on a node that is unlocked or has no identity', async () => {
  await using rig = await rigWith({ ...UNLOCKED, status: async () => STATUS });
  const again = await rig.bb(['unlock']);
  assert.deepEqual([again.exit, again.stdout], [0, `It is unlocked already. Your address: bb:${STATUS.onionId}\n`]);
  await rig.stop();
  await rig.start(EMPTY);
  assert.equal((await rig.bb(['unlock', '--password-stdin'], { input: SECRET })).exit, 10);
});

test('init writes the kit as one line into a new file of the owner; --password-file takes it back', async () => {
  const { heard, script } = listening();
  await using rig = await rigWith({ ...EMPTY, ...script });
  const made = await rig.json(['init', '--generate', '--kit-file', 'kit', '--name', 'desk']);
  assert.equal(made.exit, 0, JSON.stringify(made.body));
  assert.deepEqual(Object.keys(made.body.data), ['onion_id', 'uri', 'kit_file']);
  assert.equal(await readFile(join(rig.home, 'kit'), 'utf8'), `${WORDS.join(' ')}\n`);
  assert.equal((await stat(join(rig.home, 'kit'))).mode & 0o777, 0o600);
  const again = await rig.bb(['init', '--kit-file', 'kit']);
  assert.deepEqual([again.exit, heard.inits.length], [18, 1]);
  assert.equal((await rig.bb(['init', '--recover', '--password-file', 'kit'])).exit, 0);
  const [first, second] = heard.inits;
  assert.deepEqual([first?.generate, first?.secret, first?.name, first?.newIdentity], [true, '', 'desk', true]);
  assert.deepEqual([second?.generate, second?.secret, second?.newIdentity], [false, WORDS.join(' '), false]);
});

test('init --json returns the words once; without a terminal, --json or --kit-file it refuses and changes nothing', async () => {
  const { heard, script } = listening();
  await using rig = await rigWith({ ...EMPTY, ...script });
  const refused = await rig.bb(['init']);
  assert.deepEqual([refused.exit, heard.inits.length], [2, 0]);
  assert.match(refused.stderr, /hint: Use --kit-file FILE, or --json/);
  const { body } = await rig.json(['init']);
  assert.deepEqual(body.data, { onion_id: ONION, uri: `bb:${ONION}`, words: WORDS });
});

test('init with a typed secret says what it means, and what contradicts itself is refused', async () => {
  const { heard, script } = listening();
  await using rig = await rigWith({ ...EMPTY, ...script });
  const stdin = ['--password-stdin'];
  const good: readonly [string[], Partial<Heard['inits'][0]>][] = [
    [['--new', ...stdin], { mode: 'phrase', newIdentity: true }],
    [['--recover', ...stdin], { mode: 'phrase', newIdentity: false }],
    [['--own-password', '--account', 'ada', ...stdin], { mode: 'password', account: 'ada', newIdentity: true }],
    [['--recover', '--account', 'ada', ...stdin], { mode: 'password', account: 'ada', newIdentity: false }],
    [['--own-password', '--account', 'ada', '--allow-weak-password', ...stdin], { allowWeak: true }],
  ];
  for (const [args, wanted] of good) {
    const ran = await rig.bb(['init', ...args], { input: SECRET });
    assert.equal(ran.exit, 0, ran.stderr);
    const init = heard.inits.at(-1) as Heard['inits'][0];
    for (const [key, value] of Object.entries(wanted)) assert.equal(init[key as keyof typeof init], value, key);
    assert.deepEqual([init.secret, init.generate], [SECRET, false]);
  }
  const count = heard.inits.length;
  const bad = [
    ['--generate', '--recover'],
    ['--generate', ...stdin],
    ['--kit-file', 'kit', '--new'],
    ['--recover', '--new', ...stdin],
    stdin,
    ['--own-password', ...stdin],
    ['--recover', '--allow-weak-password', ...stdin],
  ];
  for (const args of bad) assert.equal((await rig.bb(['init', ...args], { input: SECRET })).exit, 2, args.join(' '));
  assert.equal(heard.inits.length, count);
});

test('a daemon that fails leaves no kit file behind; one with an identity is not asked', async () => {
  await using rig = await rigWith({
    ...EMPTY,
    init: () => Promise.reject(new BbError('NO_SPACE', 'the disk is full')),
  });
  assert.equal((await rig.bb(['init', '--kit-file', 'kit'])).exit, 16);
  await assert.rejects(stat(join(rig.home, 'kit')), { code: 'ENOENT' });
  await rig.stop();
  await rig.start(LOCKED);
  assert.equal((await rig.bb(['init', '--json'])).exit, 18);
});

test('a prompt on a terminal shows nothing of what is typed', async () => {
  const { heard, script } = listening();
  await using rig = await rigWith({ ...LOCKED, ...script });
  let typed = false;
  const ran = await typeAt(rig, 'unlock', (said) => {
    if (typed || !said.includes('password')) return '';
    typed = true;
    return 'hunter2 correct\r';
  });
  assert.equal(ran.exit, 0, ran.stdout);
  assert.deepEqual(heard.secrets, ['hunter2 correct']);
  assert.ok(!ran.stdout.includes('hunter'), ran.stdout);
});

test('Ctrl-C at the prompt leaves with 130 and asks nobody', async () => {
  const { heard, script } = listening();
  await using rig = await rigWith({ ...LOCKED, ...script });
  let typed = false;
  const ran = await typeAt(rig, 'unlock', (said) => {
    if (typed || !said.includes('password')) return '';
    typed = true;
    return '\u0003';
  });
  assert.deepEqual([ran.exit, heard.secrets.length], [130, 0]);
});

test('a signal at the prompt leaves as well', async () => {
  await using rig = await rigWith(LOCKED);
  let pid = '';
  const ran = await typeAt(rig, 'unlock', (said) => {
    const [, found = ''] = /pid=(\d+)/.exec(said) ?? [];
    if (pid === '' && said.includes('password')) process.kill(Number((pid = found)), 'SIGTERM');
    return '';
  });
  assert.equal(ran.exit, 130);
});

test('init on a terminal shows the words once and asks for two of them until they are right', async () => {
  const { heard, script } = listening();
  await using rig = await rigWith({ ...EMPTY, ...script });
  let answered = 0;
  let missed = false;
  const ran = await typeAt(rig, 'init --generate --name desk', (said) => {
    const questions = [...said.matchAll(/Type word (\d+)/g)].map(([, number]) => Number(number));
    const asked = [...new Set(questions)];
    if (!missed && asked.length === 1) {
      missed = true;
      return 'nonsense\r';
    }
    const again = said.includes('Not right');
    if (again && answered === 0) {
      answered = 1;
      return `${WORDS[(asked[0] as number) - 1]}\r`;
    }
    if (answered === 1 && asked.length === 2) {
      answered = 2;
      return `${WORDS[(asked[1] as number) - 1]}\r`;
    }
    return '';
  });
  assert.equal(ran.exit, 0, ran.stdout);
  assert.equal(answered, 2);
  assert.equal(heard.inits.length, 1);
  assert.match(ran.stdout, /RECOVERY KIT \(24 words\)/);
  for (const word of WORDS) assert.ok(ran.stdout.includes(word), word);
});

/** Runs bb on a pseudo-terminal; `answer` gets all that was said and returns what to type now, or nothing. */
async function typeAt(
  rig: Rig,
  args: string,
  answer: (said: string) => string,
): Promise<{ exit: number | null; stdout: string }> {
  const command = `echo pid=$$; exec ${BB} --data-dir ${rig.dataDir} ${args}`;
  const child = spawn('script', ['-qec', command, '/dev/null'], {
    cwd: rig.home,
    env: cleanEnv(rig.home, { TERM: 'xterm' }),
  });
  let said = '';
  child.stdout.on('data', (part: Buffer) => {
    said += part.toString();
    const typing = answer(said);
    if (typing !== '') child.stdin.write(typing);
  });
  const exit = await new Promise<number | null>((resolve) => child.once('close', resolve));
  child.stdin.end();
  return { exit, stdout: said };
}
