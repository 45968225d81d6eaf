// The image as far as it can be judged without building it: every file that it names is there, every version is the one of
// package.json, and a container gets no right that bbd does not need. Its steps run in make docker-check.

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { parseYaml } from './plain-yaml.ts';
import type { Yaml } from './plain-yaml.ts';

const root = join(import.meta.dirname, '../..');
const read = (file: string): string => readFileSync(join(root, file), 'utf8');
const { version } = JSON.parse(read('package.json')) as { version: string };
const dockerfile = read('docker/Dockerfile');
/** Instructions with their continued lines joined. */
const steps = dockerfile
  .replace(/\\\n\s*/g, '')
  .split('\n')
  .filter((line) => line !== '' && !line.startsWith('#'));
const argumentsOf = (name: string): string[] =>
  steps.filter((step) => step.startsWith(`${name} `)).map((step) => step.slice(name.length + 1));

type Service = Record<string, Yaml>;
const compose = parseYaml(read('docker/compose.yaml')) as Record<string, Record<string, Service>>;
const services = Object.entries(compose['services'] ?? {});

describe('Dockerfile', () => {
  const copied = argumentsOf('COPY').filter((words) => !words.startsWith('--from'));
  const sources = copied.flatMap((words) => words.split(' ').slice(0, -1));

  test('copies only what exists, and .dockerignore lets just that in', () => {
    assert.ok(sources.length > 5);
    assert.deepEqual(
      sources.filter((path) => !existsSync(join(root, path))),
      [],
    );
    const [all, ...allowed] = read('.dockerignore')
      .split('\n')
      .filter((line) => line !== '' && !line.startsWith('#'));
    assert.equal(all, '*');
    const wanted = sources.map((path) => (path === 'docker/install.sh' ? `!${path}` : `!${path.split('/')[0]}`));
    assert.deepEqual(new Set(allowed), new Set(wanted));
  });

  test('runs nothing but the script that make docker-check runs', () => {
    const runs = argumentsOf('RUN').map((step) => /(docker\/install\.sh) (\w+)/.exec(step)?.slice(1).join(' '));
    assert.deepEqual(runs, ['docker/install.sh build', 'docker/install.sh runtime']);
    for (const script of ['docker/install.sh', 'docker/check.sh']) {
      assert.ok((statSync(join(root, script)).mode & 0o111) !== 0, script);
      const syntax = spawnSync('bash', ['-n', join(root, script)], { encoding: 'utf8' });
      assert.equal(syntax.stderr, '');
    }
  });

  test('ends as another account than root, and as the program itself', () => {
    assert.deepEqual(argumentsOf('USER'), ['bb']);
    assert.ok(steps.indexOf('USER bb') > steps.findLastIndex((step) => step.startsWith('RUN ')));
    assert.deepEqual(argumentsOf('ENTRYPOINT'), ['["/usr/local/bin/bbd"]']);
    assert.deepEqual(argumentsOf('STOPSIGNAL'), ['SIGTERM']);
    assert.match(argumentsOf('HEALTHCHECK').join(), / CMD bb status >\/dev\/null \|\| exit 1$/);
  });

  test('has the version of the package', () => {
    assert.ok(dockerfile.includes(`org.opencontainers.image.version="${version}"`));
    assert.ok(dockerfile.includes(`-t barterbackup:${version} `));
  });
});

describe('compose.yaml', () => {
  test('has two peers, each with a volume and an account that it shares with nobody else', () => {
    const volumes = services.map(([name, service]) => `${name} ${(service['volumes'] as string[])[0]}`);
    assert.deepEqual(volumes, [
      'ada ada-data:/data',
      'ben ben-data:/data',
      'ada-unlock ada-data:/data',
      'ben-unlock ben-data:/data',
    ]);
    const named = Object.keys(compose['volumes'] ?? {}).map((name) => `${name}:/data`);
    assert.deepEqual([...new Set(services.map(([, service]) => (service['volumes'] as string[])[0]))], named);
  });

  test('every service is locked in: no capability, no writable root, no new privileges', () => {
    for (const [name, service] of services) {
      assert.equal(service['image'], `barterbackup:${version}`, name);
      assert.deepEqual(service['cap_drop'], ['ALL'], name);
      assert.deepEqual(service['security_opt'], ['no-new-privileges:true'], name);
      assert.equal(service['read_only'], 'true', name);
      assert.equal(service['restart'], 'unless-stopped', name);
    }
  });

  test('builds from files that exist; secrets are files of the user, never of the repository', () => {
    for (const [, { build }] of services) {
      const { context, dockerfile: file } = build as { context: string; dockerfile: string };
      assert.ok(existsSync(join(root, 'docker', context, file)));
    }
    const files = Object.values(compose['secrets'] ?? {}).map(({ file }) => file as string);
    assert.equal(files.length, 2);
    const ignored = read('.gitignore').split('\n');
    for (const file of files) assert.ok(ignored.includes(`${join('docker', file, '..')}/`), file);
    const named = services.flatMap(([, service]) => (service['secrets'] ?? []) as { source: string }[]);
    assert.deepEqual(
      named.map(({ source }) => source),
      Object.keys(compose['secrets'] ?? {}),
    );
  });
});

describe('the reader of YAML', () => {
  test('reads what it knows', () => {
    const text = 'a: &x\n  b: 1\n  c:\n    - p\n    - k: v\n      l: w\nd:\n  <<: *x\n  b: 2\n# end\n';
    const list = ['p', { k: 'v', l: 'w' }];
    assert.deepEqual(parseYaml(text), { a: { b: '1', c: list }, d: { b: '2', c: list } });
  });

  test('refuses what it might misread', () => {
    for (const text of ['a: [1]', 'a: "q"', 'a: b # c', 'a: 1\na: 2', 'a: 1\n- b', 'a:\n    b: 1\n  c: 1', '<<: *no'])
      assert.throws(() => parseYaml(text), text);
  });
});
