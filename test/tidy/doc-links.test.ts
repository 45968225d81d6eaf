// Pages and code point at each other: every link of a page leads to a file and a heading, and every section that a comment
// cites by name exists in the page it names.

import assert from 'node:assert/strict';
import { existsSync, globSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { test } from 'node:test';

const root = join(import.meta.dirname, '../..');
const read = (file: string): string => readFileSync(join(root, file), 'utf8');
const pages = ['README.md', ...globSync('docs/**/*.md', { cwd: root })];

function headings(page: string): string[] {
  const withoutCode = read(page).replace(/^```[\s\S]*?^```/gm, '');
  return [...withoutCode.matchAll(/^#+ (.*)$/gm)].map(([, title = '']) => title);
}

/** The anchor that a heading gets where pages are shown. */
function anchorOf(title: string): string {
  const plain = title.toLowerCase().replace(/[^\p{L}\p{N} _-]/gu, '');
  return plain.replaceAll(' ', '-');
}

test('every link of a page leads somewhere', () => {
  const broken = pages.flatMap((page) =>
    [...read(page).matchAll(/\]\((?!https?:)([^)#\s]*)(?:#([^)\s]+))?\)/g)].flatMap(([link, file = '', anchor]) => {
      const target = file === '' ? page : relative(root, join(root, dirname(page), file));
      const found = existsSync(join(root, target));
      const isThere = found && (anchor === undefined || headings(target).map(anchorOf).includes(anchor));
      return isThere ? [] : [`${page}: ${link}`];
    }),
  );
  assert.deepEqual(broken, []);
});

test('every section that a comment cites exists', () => {
  const sources = globSync(['src/**/*.ts', 'cli/**/*.ts', 'test/**/*.ts', 'proto/**/*.proto'], { cwd: root });
  // A comment may go on in the next line.
  const cited = sources.flatMap((file) =>
    [
      ...read(file)
        .replace(/\n\s*(\/\/|\*)/g, '')
        .matchAll(/(docs\/[a-z-]+\.md), ((?:"[^"]+"(?: and )?)+)/g),
    ].flatMap(([, page = '', names = '']) =>
      [...names.matchAll(/"([^"]+)"/g)].map(([, name = '']) => ({ file, page, name: name.replace(/\s+/g, ' ') })),
    ),
  );
  assert.ok(cited.length > 20);
  const missing = cited.filter(({ page, name }) => !existsSync(join(root, page)) || !headings(page).includes(name));
  assert.deepEqual(missing, []);
});
