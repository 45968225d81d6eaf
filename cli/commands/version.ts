// bb version: of the package that this file belongs to, wherever it was built to.

import { readFile } from 'node:fs/promises';
import { invariant } from '../../src/core/errors.ts';
import type { Result } from '../output.ts';

export async function run(): Promise<Result> {
  const version = await packageVersion();
  return { data: { version, node: process.versions.node }, text: `bb ${version} (node ${process.versions.node})` };
}

async function packageVersion(): Promise<string> {
  for (let folder = new URL('./', import.meta.url); ; folder = new URL('../', folder)) {
    const text = await readFile(new URL('package.json', folder), 'utf8').catch(() => '');
    if (text !== '') return (JSON.parse(text) as { version: string }).version;
    invariant(folder.pathname !== '/', 'the package has a package.json');
  }
}
