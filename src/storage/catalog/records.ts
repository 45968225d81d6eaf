// Sealed records: table `sealed`, one row each, read as a whole at unlock (docs/storage-format.md, "Sealed rows").
// Invariant: what is returned has exactly the fields of core/records.ts; a row that cannot give them is INTEGRITY, one of
// a newer version INCOMPATIBLE, each named by its id.

import { CONTRACT_EVENTS } from '../../core/contract/machine.ts';
import { NEW_CONDUCT } from '../../core/contract/score.ts';
import type { Conduct } from '../../core/contract/score.ts';
import { CONTRACT_STATES } from '../../core/contract/state.ts';
import { NO_OLD_HOLD } from '../../core/contract/transition.ts';
import { BbError, invariant } from '../../core/errors.ts';
import { parseOnionId } from '../../core/ids.ts';
import { NO_LOSS } from '../../core/policy/repair.ts';
import { SCRUB_START } from '../../core/policy/scrub.ts';
import type { OnionId } from '../../core/ids.ts';
import { APPROVALS } from '../../core/records.ts';
import type {
  CatalogRecord,
  ContractRecord,
  HeldRecord,
  LedgerRecord,
  LifeRecord,
  LossRecord,
  NodeRecord,
  OpenTermsRecord,
  PeerRecord,
  RecordId,
  RecordKind,
  ReplicaRecord,
  ScrubRecord,
  SettingsRecord,
  TransitionRecord,
} from '../../core/records.ts';
import { decodePlain, encodePlain } from './plain-json.ts';
import type { RowKeys } from './row-keys.ts';
import { bytes, flag, integer, list, number, object, oneOf, optionalWith, ShapeError, text } from './shape.ts';
import type { Shape } from './shape.ts';
import { bytesOf, numberOf } from './sql.ts';
import type { Sql, SqlRow } from './sql.ts';

const onion: Shape<OnionId> = (value) => parseOnionId(text(value));

const peer = object<PeerRecord>({
  onionId: onion,
  name: text,
  added: flag,
  addedMs: number,
  introducer: optionalWith(onion, undefined),
  pinned: flag,
  aeadKey: bytes,
  lastReachedMs: number,
  dialledBack: optionalWith(flag, false),
  blocked: optionalWith(flag, false),
  unlisted: optionalWith(flag, false),
  limitBytes: optionalWith(integer, 0),
});

const loss = object<LossRecord>({
  repairedCells: integer,
  repairedSeconds: number,
  repullSeconds: number,
  wrongSeconds: number,
  cure: object<LossRecord['cure']>({ contentId: bytes, cells: integer }),
});

const replica = object<ReplicaRecord>({
  offered: bytes,
  offeredMs: number,
  acknowledged: bytes,
  acknowledgedMs: number,
  latestKnown: bytes,
  lastChecked: bytes,
  lastOutcome: optionalWith(oneOf('held', 'wrong', 'late', 'unreachable'), undefined),
  lastCheckMs: number,
  lastHeldMs: number,
  proved: bytes,
  sweep: object<ReplicaRecord['sweep']>({ indexCell: integer, dataCell: integer }),
  lastSweepMs: optionalWith(number, 0),
  offerSeconds: optionalWith(number, 0),
  progressSeconds: optionalWith(number, 0),
  lists: optionalWith(list(bytes), []),
  loss: optionalWith(loss, NO_LOSS),
});

const transition = object<TransitionRecord>({
  atMs: number,
  from: oneOf(...CONTRACT_STATES),
  to: oneOf(...CONTRACT_STATES),
  event: oneOf(...CONTRACT_EVENTS),
  reason: text,
  remainingSeconds: number,
});

const openTerms = object<OpenTermsRecord>({
  terms: bytes,
  proposerSignature: bytes,
  acceptorSignature: bytes,
  sinceMs: number,
});

const contract = object<ContractRecord>({
  peer: onion,
  terms: bytes,
  proposerSignature: bytes,
  acceptorSignature: bytes,
  state: oneOf(...CONTRACT_STATES),
  reason: text,
  sinceMs: number,
  ledger: object<LedgerRecord>({ valueSeconds: number, slopePermille: number, countedSeconds: number }),
  life: object<LifeRecord>({
    enteredSeconds: number,
    activeSeconds: number,
    floorSeconds: number,
    pauseSeconds: number,
    noticeEndSeconds: number,
  }),
  replica,
  theirLatestKnown: bytes,
  theirPull: oneOf('NONE', 'PULLING', 'QUOTA', 'NO_SPACE'),
  ourRemainingSeconds: optionalWith(number, 0),
  reachedSeconds: number,
  provedSeconds: number,
  conduct: optionalWith(object<Conduct>({ reachability: number, integrity: number, timeouts: number }), NEW_CONDUCT),
  conductSeconds: optionalWith(number, 0),
  transitions: optionalWith(list(transition), []),
  amendment: optionalWith(openTerms, undefined),
  noticeGivenSeconds: optionalWith(number, -1),
  endedBy: optionalWith(oneOf('nobody', 'us', 'peer'), 'nobody'),
  oldHold: optionalWith(object<ContractRecord['oldHold']>({ holdSeconds: number, untilSeconds: number }), NO_OLD_HOLD),
});

const held = object<HeldRecord>({
  owner: onion,
  contentId: bytes,
  root: bytes,
  cells: integer,
  list: integer,
  role: oneOf('pulling', 'current', 'kept'),
  sinceMs: number,
  holdEndSeconds: number,
  currentSeconds: optionalWith(number, 0),
  keptSeconds: optionalWith(number, 0),
  reported: flag,
});

const settings = object<SettingsRecord>({
  name: text,
  storageLimitBytes: integer,
  minReplicas: integer,
  approval: optionalWith(oneOf(...APPROVALS), 'added'),
  unlisted: optionalWith(flag, false),
});

const node = object<NodeRecord>({
  mode: oneOf('normal', 'blocked', 'recovering'),
  modeSinceMs: number,
  baseGeneration: integer,
  baseSequence: integer,
  baseContentId: bytes,
  countedSeconds: number,
  dirty: flag,
  recoveringId: bytes,
  firstAnswerSeconds: optionalWith(number, -1),
  acceptedSequence: optionalWith(integer, 0),
  newIdentity: optionalWith(flag, false),
  belowSeconds: optionalWith(number, -1),
  missingFiles: optionalWith(integer, 0),
  missingNames: optionalWith(list(bytes), []),
  forks: optionalWith(list(bytes), []),
  scrub: optionalWith(object<ScrubRecord>({ ownCell: integer, heldList: integer, heldCell: integer }), SCRUB_START),
});

type Reader = {
  /** Written into new rows. It rises when an older program would do harm with a row, not for a field that it may lose. */
  readonly version: number;
  readonly read: (id: RecordId, value: unknown) => CatalogRecord;
};

/** A new kind does not compile without its row here. */
const KINDS: { readonly [K in RecordKind]: Reader } = {
  peer: { version: 1, read: (id, value) => ({ id, kind: 'peer', value: peer(value) }) },
  contract: { version: 1, read: (id, value) => ({ id, kind: 'contract', value: contract(value) }) },
  held: { version: 1, read: (id, value) => ({ id, kind: 'held', value: held(value) }) },
  settings: { version: 1, read: (id, value) => ({ id, kind: 'settings', value: settings(value) }) },
  node: { version: 1, read: (id, value) => ({ id, kind: 'node', value: node(value) }) },
};

export function readRecords(sql: Sql, keys: RowKeys): CatalogRecord[] {
  return sql.all('SELECT id, kind, version, value FROM sealed ORDER BY id').map((row) => readRecord(row, keys));
}

/** Part of a transaction of the caller. */
export function writeRecords(
  sql: Sql,
  keys: RowKeys,
  puts: readonly CatalogRecord[],
  deletes: readonly RecordId[] = [],
): void {
  for (const id of deletes) sql.run('DELETE FROM sealed WHERE id = ?', idBytes(id));
  for (const { id, kind, value } of puts) {
    const { version } = KINDS[kind];
    const label = { id: idBytes(id), kind, version };
    const sealed = keys.seal(label, encodePlain(value));
    sql.run(
      'INSERT OR REPLACE INTO sealed (id, kind, version, value) VALUES (?, ?, ?, ?)',
      label.id,
      kind,
      version,
      sealed,
    );
  }
}

function readRecord(row: SqlRow, keys: RowKeys): CatalogRecord {
  const id = bytesOf(row['id']);
  const name = id.toString('hex') as RecordId;
  const kind = row['kind'];
  const version = numberOf(row['version']);
  if (typeof kind !== 'string') throw new BbError('INTEGRITY', `row ${name} of the catalog has no kind`);
  // Opened first: what opens has the kind and version that were written, so an unknown one is newer and not damage.
  const plain = keys.open({ id, kind, version }, bytesOf(row['value']));
  const reader = isKind(kind) ? KINDS[kind] : undefined;
  if (reader === undefined || version > reader.version) {
    throw new BbError('INCOMPATIBLE', `row ${name} was written by a newer version`);
  }
  try {
    return reader.read(name, decodePlain(plain));
  } catch (cause) {
    if (!(cause instanceof ShapeError) && !(cause instanceof BbError)) throw cause;
    throw new BbError('INTEGRITY', `row ${name} (${kind}) of the catalog is damaged: ${cause.message}`, { cause });
  }
}

function isKind(kind: string): kind is RecordKind {
  return Object.hasOwn(KINDS, kind);
}

function idBytes(id: RecordId): Buffer {
  invariant(/^[0-9a-f]{32}$/.test(id), 'a record id has 32 hex digits');
  return Buffer.from(id, 'hex');
}
