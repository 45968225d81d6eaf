// What a thief of a locked disk and a reader of its logs must not learn: canaries are searched for in every file of a data
// directory and in every log line from `info` up.

import { existsSync, lstatSync, readFileSync, readdirSync } from 'node:fs';
import { join, relative } from 'node:path';
import { noise } from './moments.ts';
import { finderOf, findInFile, onionNeedles, phraseNeedles, textNeedles } from './needles.ts';
import type { Finder, Needle } from './needles.ts';
import type { TestNode } from './node.ts';

export type Canaries = {
  /** In no file of a data directory and in no log, of whatever level: words, passwords, content, names of files. */
  readonly secret: readonly Needle[];
  /** Not on a locked disk either, and in no log line from `info` up; a `debug` line may hold an error text. */
  readonly name: readonly Needle[];
};

/** Names that friends are called by, and a file with its content, to be used in a run. */
export type Planted = { readonly names: readonly string[]; readonly fileName: string; readonly content: string };

/** Makes them from the seed and has them searched for when the world ends. */
export function plantCanaries(world: { plant(canaries: Canaries): void }, seed: number): Planted {
  const tail = (what: string): string => noise(seed, `canary/${what}`, TAIL_BYTES).toString('hex');
  const planted: Planted = {
    names: ['gretel', 'hansel'].map((name) => `canary-${name}-${tail(name)}`),
    fileName: `canary-file-${tail('file')}`,
    content: `canary-content-${tail('content')}`,
  };
  world.plant({
    secret: textNeedles('the content', planted.content),
    name: [
      ...planted.names.flatMap((name) => textNeedles(`the name ${name}`, name)),
      ...textNeedles('the file name', planted.fileName),
    ],
  });
  return planted;
}

/** Where what was found: one line per file and canary. */
export type Hit = string;

const TAIL_BYTES = 6;
const LOG = 'bbd.log';
const INFO = 30;

/** All data directories, logs and error outputs of a run; what a person typed may come back to that person. */
export function searchNodes(nodes: readonly TestNode[], planted: readonly Canaries[]): Hit[] {
  const made = nodes.filter(({ onionId }) => onionId !== '');
  const secret = [
    ...planted.flatMap((canaries) => canaries.secret),
    ...made.flatMap(({ name, words }) => (words === '' ? [] : phraseNeedles(`the phrase of ${name}`, words))),
  ];
  const name = [
    ...planted.flatMap((canaries) => canaries.name),
    ...made.flatMap((node) => onionNeedles(`the onion id of ${node.name}`, node.onionId)),
  ];
  if (secret.length === 0) return [];
  const secrets = finderOf(secret);
  return nodes.flatMap((node) => [
    ...(existsSync(node.dataDir) ? searchDataDir(node.dataDir, { secret, name }) : []),
    ...node.logs.flatMap((text) => searchLog(text, { secret, name })),
    ...said(`what bb said to ${node.name}`, secrets.find(Buffer.from(node.errors.join('\n')))),
  ]);
}

/** Searches the data directory of a stopped daemon; its log is judged by lines. */
export function searchDataDir(dir: string, { secret, name }: Canaries): Hit[] {
  const finder = finderOf([...secret, ...name]);
  const files = filesOf(dir).filter((path) => path !== join(dir, LOG));
  const hits = files.flatMap((path) => [
    ...said(`the name of ${relative(dir, path)}`, finder.find(Buffer.from(path))),
    ...said(relative(dir, path), findInFile(path, finder)),
  ]);
  const log = join(dir, LOG);
  return existsSync(log) ? [...hits, ...searchLog(readFileSync(log, 'utf8'), { secret, name })] : hits;
}

/** Lines that are no JSON are what the process said when it ended, and count as errors. */
export function searchLog(text: string, { secret, name }: Canaries): Hit[] {
  const anything = finderOf([...secret, ...name]);
  const secrets = finderOf(secret);
  return text.split('\n').flatMap((line) => {
    const finder: Finder = levelOf(line) < INFO ? secrets : anything;
    return said(`a log line: ${line.slice(0, 80)}`, finder.find(Buffer.from(line)));
  });
}

function levelOf(line: string): number {
  try {
    const parsed: unknown = JSON.parse(line);
    return typeof parsed === 'object' && parsed !== null && 'level' in parsed ? Number(parsed.level) : INFO;
  } catch {
    return INFO;
  }
}

function said(where: string, found: readonly Needle[]): Hit[] {
  return found.map(({ what }) => `${what}: ${where}`);
}

/** Every regular file below, by its path. */
export function filesOf(dir: string): string[] {
  return readdirSync(dir).flatMap((name) => {
    const path = join(dir, name);
    const stat = lstatSync(path);
    if (stat.isDirectory()) return filesOf(path);
    return stat.isFile() ? [path] : [];
  });
}
