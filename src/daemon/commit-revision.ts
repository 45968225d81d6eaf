// The commit point of the owner: staged content and today's peers, contracts and settings become the
// newest content revision. Head copies are durable before the catalog names them; the one catalog
// transaction makes it true. The caller holds session.contentLock.
// Invariant: acknowledged = durable; a revision's (generation, sequence) is above every earlier one.

import { blobCellCount } from '../core/challenge/plan.ts';
import { CONTENT_FORMAT } from '../core/content/metadata.ts';
import type { Metadata, MetadataPeer } from '../core/content/metadata.ts';
import { pushAncestor } from '../core/content/ancestors.ts';
import { headCellCount } from '../core/crypto/head.ts';
import { CONTRACT_STATES } from '../core/contract/state.ts';
import { BbError, toBbError } from '../core/errors.ts';
import { pubkeyFromOnionId } from '../core/ids.ts';
import type { CatalogRecord, ContractRecord, NodeRecord, PeerRecord } from '../core/records.ts';
import { CELL_BYTES, PEERS } from '../core/limits.ts';
import type { RevisionRow, StagedContent } from '../ports/catalog.ts';
import type { Newest, Session } from './session.ts';
import { dropSuperseded } from './superseded.ts';

/** PUBLISH_BLOCKED unless this node may make revisions: one that may have holders must look first. */
export function requireNormal(session: Session): void {
  const { node, recovery } = session;
  if (node.mode === 'normal') return;
  if (node.mode === 'blocked') {
    throw new BbError('PUBLISH_BLOCKED', 'this node first has to find out whether peers hold its content');
  }
  const waits = recovery.waitingFor === '' ? '' : `; it waits for ${recovery.waitingFor}`;
  throw new BbError(
    'PUBLISH_BLOCKED',
    `this node is recovering, and its files can be changed when that is over${waits}`,
  );
}

/**
 * Seals `staged` as the next revision after `line` (default: the newest here) in `generation` (default: the same) and
 * commits it, in one transaction with what else changes of the node record.
 */
export async function commitRevision(
  session: Session,
  staged: StagedContent,
  line: Newest | undefined = session.newest,
  generation: number = Math.max(1, session.node.baseGeneration),
  alsoChange: (node: NodeRecord) => NodeRecord = (node) => node,
): Promise<Newest> {
  const { deps, keyring } = session;
  const marks = session.dirtyMarks;
  const metadata = nextMetadata(session, staged, line, generation);
  const encoded = deps.metadata.encode(metadata);
  const headCells = headCellCount(encoded.length);
  const cellCount = blobCellCount({ headCells, indexCells: staged.indexCells, dataCells: staged.dataCells });
  const contentId = keyring.sealContentId({
    generation,
    sequence: metadata.sequence,
    createdMs: metadata.createdMs,
    nonce: deps.random.bytes(16),
    metaBytes: encoded.length,
    cellCount,
  });
  const row: RevisionRow = {
    contentId,
    generation,
    sequence: metadata.sequence,
    createdMs: metadata.createdMs,
    headCells,
    indexCells: staged.indexCells,
    dataCells: staged.dataCells,
    fileCount: staged.fileCount,
    fileBytes: staged.fileBytes,
    metadata: encoded,
  };
  return commitRow(session, staged, row, metadata, marks, alsoChange);
}

/**
 * Commits a row whose content_id is known already: the last step of commitRevision and of a recovery. `marks`:
 * session.dirtyMarks when the metadata was made; what was marked since is not in it, and stays to be committed.
 */
export async function commitRow(
  session: Session,
  staged: StagedContent,
  row: RevisionRow,
  metadata: Metadata,
  marks?: number,
  alsoChange: (node: NodeRecord) => NodeRecord = (node) => node,
): Promise<Newest> {
  const { deps, keyring, registry } = session;
  const heads = await deps.workers.appendHeads(row.contentId, [
    keyring.sealHead(row.contentId, 0, row.metadata),
    keyring.sealHead(row.contentId, 1, row.metadata),
  ]);
  await registry.transact(async () => {
    const records = baseRecords(session, row, marks, alsoChange);
    await deps.catalog.commitRevision({
      staged,
      revision: row,
      heads: heads.positions,
      ownMarks: heads.marks,
      records,
    });
    return records;
  });
  const previous = session.newest?.row.contentId;
  session.newest = { row, metadata };
  if (previous !== undefined) await forget(session, previous);
  session.bus.emit('revision-committed', {
    generation: String(row.generation),
    sequence: String(row.sequence),
    cells: String(blobCellCount(row)),
  });
  return session.newest;
}

/** The new revision is committed, whatever comes of this: what cannot be forgotten now is at the next unlock. */
async function forget(session: Session, previous: Buffer): Promise<void> {
  try {
    await dropSuperseded(session, [previous]);
  } catch (error) {
    session.deps.log.warn('a superseded revision could not be forgotten', { code: toBbError(error).code });
  }
}

/** Packed cell ids, 32 bytes each -> one Buffer each. */
export function splitIds(packed: Buffer): Buffer[] {
  return Array.from({ length: packed.length / 32 }, (_, at) => packed.subarray(at * 32, at * 32 + 32));
}

/** The staged form of "same cells, new head". */
export function unchangedContent(newest: Newest): StagedContent {
  const { row, metadata } = newest;
  return {
    stagingId: '',
    indexCells: row.indexCells,
    dataCells: row.dataCells,
    indexRoot: metadata.indexRoot,
    contentRoot: metadata.contentRoot,
    indexCellIds: metadata.indexCells,
    fileCount: row.fileCount,
    fileBytes: row.fileBytes,
    addedFiles: 0,
    removedFiles: 0,
    isChanged: false,
    skippedFiles: 0,
    newCells: 0,
  };
}

function baseRecords(
  session: Session,
  row: RevisionRow,
  marks: number | undefined,
  alsoChange: (node: NodeRecord) => NodeRecord,
): CatalogRecord[] {
  const record = session.registry.nodeRecord((node) => ({
    ...alsoChange(node),
    baseGeneration: row.generation,
    baseSequence: row.sequence,
    baseContentId: row.contentId,
    dirty: marks === session.dirtyMarks ? false : node.dirty,
  }));
  return record === undefined ? [] : [record];
}

function nextMetadata(
  session: Session,
  staged: StagedContent,
  newest: Newest | undefined,
  generation: number,
): Metadata {
  const { node, settings } = session;
  // One above the line, whatever this node sealed beside it: the window of ancestors counts down from here.
  const sequence = (newest?.row.sequence ?? node.baseSequence) + 1;
  const previous = newest?.row.contentId ?? Buffer.alloc(0);
  const generations = newest?.metadata.generations ?? [];
  const ended = newest !== undefined && newest.row.generation < generation;
  return {
    generation,
    sequence,
    createdMs: session.deps.clock.nowMs(),
    previousContentId: previous,
    ancestors: newest === undefined ? Buffer.alloc(0) : pushAncestor(newest.metadata.ancestors, previous),
    generations: ended
      ? [...generations, { generation: newest.row.generation, lastSequence: newest.row.sequence }]
      : generations,
    contentBytes: (staged.indexCells + staged.dataCells) * CELL_BYTES,
    contentRoot: staged.contentRoot,
    indexCells: staged.indexCellIds,
    indexRoot: staged.indexRoot,
    dataCells: staged.dataCells,
    fileCount: staged.fileCount,
    fileBytes: staged.fileBytes,
    peers: metadataPeers(session),
    settings: {
      name: settings.name,
      storageLimitBytes: settings.storageLimitBytes,
      minReplicas: settings.minReplicas,
      approval: settings.approval,
      unlisted: settings.unlisted,
    },
    formatMin: CONTENT_FORMAT,
    settled: newest?.metadata.settled ?? Buffer.alloc(0),
  };
}

/** Peers with a contract first, then those the user added, then the rest, within the bound. */
function metadataPeers(session: Session): MetadataPeer[] {
  const { registry } = session;
  const weight = (peer: PeerRecord) => (registry.contract(peer.onionId) ? 0 : peer.added ? 1 : 2);
  return registry
    .peers()
    .sort((a, b) => weight(a) - weight(b))
    .slice(0, PEERS)
    .map((peer) => metadataPeer(peer, registry.contract(peer.onionId)));
}

function metadataPeer(peer: PeerRecord, contract: ContractRecord | undefined): MetadataPeer {
  const signed = contract !== undefined && contract.state !== 'PROPOSED' && contract.state !== 'RELEASED';
  const none = Buffer.alloc(0);
  return {
    pubkey: pubkeyFromOnionId(peer.onionId),
    aeadKey: peer.aeadKey,
    scoreSeconds: contract?.life.activeSeconds ?? 0,
    scoreMeasuredAtSeconds: contract === undefined ? 0 : Math.floor(contract.sinceMs / 1000),
    reachability: contract?.conduct.reachability ?? 1,
    integrity: contract?.conduct.integrity ?? 1,
    terms: signed ? contract.terms : none,
    proposerSignature: signed ? contract.proposerSignature : none,
    acceptorSignature: signed ? contract.acceptorSignature : none,
    contractState: signed ? CONTRACT_STATES.indexOf(contract.state) + 1 : 0,
    introducer: peer.introducer === undefined ? none : pubkeyFromOnionId(peer.introducer),
    added: peer.added,
    pinned: peer.pinned,
    name: peer.name,
    addedAtSeconds: Math.floor(peer.addedMs / 1000),
    role: 0,
    blocked: peer.blocked,
    limitBytes: peer.limitBytes,
  };
}
