// Local numbers of peers: the catalog names a peer by a keyed tag and a number, never by its onion key.

import { pubkeyFromOnionId } from '../../core/ids.ts';
import type { OnionId } from '../../core/ids.ts';
import type { RowKeys } from './row-keys.ts';
import { numberOf } from './sql.ts';
import type { Sql } from './sql.ts';

export function findPeerNumber(sql: Sql, keys: RowKeys, peer: OnionId): number | undefined {
  const row = sql.get('SELECT num FROM peer WHERE tag = ?', keys.tag('peer', pubkeyFromOnionId(peer)));
  return row === undefined ? undefined : numberOf(row['num']);
}

/** Part of a transaction of the caller. */
export function peerNumber(sql: Sql, keys: RowKeys, peer: OnionId): number {
  return (
    findPeerNumber(sql, keys, peer) ??
    sql.run('INSERT INTO peer (tag) VALUES (?)', keys.tag('peer', pubkeyFromOnionId(peer)))
  );
}
