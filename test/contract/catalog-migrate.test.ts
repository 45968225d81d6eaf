// An upgrade of the catalog: forward, all or nothing, with a whole copy kept. There is only one format yet, so the later
// ones are made up here.

import assert from 'node:assert/strict';
import * as fs from 'node:fs';
import { test } from 'node:test';
import type { TestContext } from 'node:test';
import { openDatabase } from '../../src/storage/catalog/database.ts';
import { migrate } from '../../src/storage/catalog/migrate.ts';
import { Sql } from '../../src/storage/catalog/sql.ts';
import { tempDir } from './storage-fixture.ts';

const SECOND = 'CREATE TABLE later (x INTEGER) STRICT; INSERT INTO later SELECT slots FROM mark;';
const THIRD = 'UPDATE later SET x = x + 1; DROP TABLE mark;';

/** A catalog of today with one row, open. */
function ofToday(context: TestContext): { readonly path: string; readonly sql: Sql } {
  const path = `${tempDir(context)}/state.db`;
  openDatabase(path).close();
  const sql = new Sql(path);
  context.after(() => sql.close());
  sql.run('INSERT INTO mark (store, pack, slots) VALUES (1, 7, 40)');
  return { path, sql };
}

function formatIn(path: string): unknown {
  const sql = new Sql(path, { readOnly: true });
  const format = sql.get('PRAGMA user_version')?.['user_version'];
  sql.close();
  return format;
}

test('every step from the old format on is done once, and the old catalog is kept beside it', (context) => {
  const { path, sql } = ofToday(context);
  migrate(sql, path, 1, ['not run', SECOND, THIRD]);
  assert.deepEqual(
    sql.all('SELECT x FROM later').map(({ x }) => x),
    [41],
  );
  assert.equal(sql.get('PRAGMA user_version')?.['user_version'], 3);
  const copy = `${path}.format-1`;
  assert.equal(fs.statSync(copy).mode & 0o777, 0o600);
  const kept = openDatabase(copy);
  assert.deepEqual(
    kept.all('SELECT slots FROM mark').map(({ slots }) => slots),
    [40],
  );
  kept.close();
  assert.throws(() => openDatabase(path), { code: 'INCOMPATIBLE' }, 'the program of today does not touch it any more');
});

test('a step that fails leaves the catalog as it was, and may be tried again', (context) => {
  const { path, sql } = ofToday(context);
  assert.throws(() => migrate(sql, path, 1, ['not run', SECOND, 'DROP TABLE nowhere']));
  assert.deepEqual(sql.all("SELECT name FROM sqlite_schema WHERE name = 'later'"), []);
  assert.equal(formatIn(path), 1);
  fs.writeFileSync(`${path}.format-1`, 'torn by a power cut');
  migrate(sql, path, 1, ['not run', SECOND]);
  assert.equal(formatIn(path), 2);
  assert.equal(formatIn(`${path}.format-1`), 1);
});
