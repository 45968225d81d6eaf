// The head of a revision at a holder: fetched, opened, and what it says about peers, contracts and
// settings taken back. A holder proves itself by one random INDEX cell under its own key.

import type { Metadata, MetadataPeer } from '../core/content/metadata.ts';
import { decodeTerms } from '../core/contract/terms.ts';
import { newContract, stepContract } from '../core/contract/machine.ts';
import { CONTRACT_STATES } from '../core/contract/state.ts';
import type { ContractState } from '../core/contract/state.ts';
import { CELL_KIND, openCell } from '../core/crypto/cell-seal.ts';
import { headCellCount } from '../core/crypto/head.ts';
import { BbError, isBbError } from '../core/errors.ts';
import { onionIdFromPubkey, pubkeyFromOnionId } from '../core/ids.ts';
import type { OnionId } from '../core/ids.ts';
import { CELL_BYTES } from '../core/limits.ts';
import { CellAssembler } from '../core/policy/cell-assembler.ts';
import type { PeerRecord } from '../core/records.ts';
import { splitIds } from './commit-revision.ts';
import type { FoundId, Holder, OpenedHead } from './recovery.ts';
import { newContractRecord } from './new-contract.ts';
import type { Session } from './session.ts';

/**
 * Tries each holder of this revision, both copies. Undefined if each gave something, and nothing that opens;
 * PEER_UNREACHABLE if one that may have it could not be asked.
 */
export async function openHead(session: Session, id: FoundId, signal: AbortSignal): Promise<OpenedHead | undefined> {
  const key = id.contentId.toString('hex');
  const known = session.recovery.heads.get(key);
  if (known !== undefined) return known;
  let cut: unknown;
  for (const holder of session.recovery.holdersOf(id.contentId)) {
    try {
      const head = await fetchHead(session, holder.peer, id, signal);
      if (head === undefined) continue;
      session.recovery.heads.set(key, head);
      return head;
    } catch (error) {
      if (signal.aborted || isBbError(error, 'INCOMPATIBLE')) throw error;
      session.deps.log.debug('a head could not be fetched', { detail: String(error) });
      if (isBbError(error, 'PEER_UNREACHABLE')) cut = error;
    }
  }
  if (cut !== undefined) throw cut;
  return undefined;
}

async function fetchHead(
  session: Session,
  peer: OnionId,
  id: FoundId,
  signal: AbortSignal,
): Promise<OpenedHead | undefined> {
  const { metaBytes, cellCount } = id.revision;
  const headCells = headCellCount(metaBytes);
  for (const copy of [0, 1] as const) {
    const start = copy === 0 ? 0 : cellCount - headCells;
    const cells = await fetchFew(session, peer, id.contentId, start, headCells, signal);
    const encoded = session.keyring.openHead(id.contentId, copy, metaBytes, Buffer.concat(cells));
    const head = encoded && openedHead(session.deps, id, encoded);
    if (head !== undefined) return head;
  }
  session.bus.emit('peer-fault', { peer, fault: 'head that does not open' });
  return undefined;
}

/** The revision that this Metadata describes; undefined when it does not decode. */
export function openedHead(
  deps: Session['deps'],
  id: Omit<FoundId, 'contentBytes'>,
  encoded: Buffer,
): OpenedHead | undefined {
  const metadata = deps.metadata.decode(encoded);
  const headCells = headCellCount(id.revision.metaBytes);
  return metadata && { row: rowOf(id, metadata, encoded, headCells), metadata };
}

function rowOf(id: Omit<FoundId, 'contentBytes'>, metadata: Metadata, encoded: Buffer, headCells: number) {
  return {
    contentId: id.contentId,
    generation: id.generation,
    sequence: id.sequence,
    createdMs: id.revision.createdMs,
    headCells,
    indexCells: metadata.indexCells.length / 32,
    dataCells: metadata.dataCells,
    fileCount: metadata.fileCount,
    fileBytes: metadata.fileBytes,
    metadata: encoded,
  };
}

/** Asks a holder for one random INDEX cell of what it says it holds; sets `holder.proved`. */
export async function proveHolder(session: Session, holder: Holder, signal: AbortSignal): Promise<void> {
  const [id] = holder.found;
  if (holder.proved !== undefined || id === undefined) return;
  if (session.recovery.isHeadAway(id.contentId, session.deps.clock.monotonicMs())) return;
  try {
    const head = await openHead(session, id, signal);
    const indexCells = splitIds(head?.metadata.indexCells ?? Buffer.alloc(0));
    if (head === undefined || indexCells.length === 0) return;
    const pick = Math.floor(session.deps.random.fraction() * indexCells.length);
    const cellId = indexCells[pick] ?? Buffer.alloc(32);
    const cell = head.row.headCells + pick;
    const [sealed] = await fetchFew(session, holder.peer, id.contentId, cell, 1, signal);
    const keys = session.keyring.cellKeys();
    const peerKey = pubkeyFromOnionId(holder.peer);
    const plain = openCell(keys, peerKey, CELL_KIND.INDEX, cellId, sealed ?? Buffer.alloc(0));
    keys.id.fill(0);
    keys.enc.fill(0);
    holder.proved = plain !== undefined;
  } catch (error) {
    if (signal.aborted || isBbError(error, 'INCOMPATIBLE')) throw error;
    session.deps.log.debug('a holder did not prove itself', { detail: String(error) });
  }
}

/** A few cells go where a session is up already: a circuit of their own may take a minute to come. */
const CONTROL_LANE = 0;

async function fetchFew(
  session: Session,
  peer: OnionId,
  contentId: Buffer,
  startCell: number,
  count: number,
  signal: AbortSignal,
): Promise<Buffer[]> {
  const assembler = new CellAssembler(startCell, count);
  const cells: Buffer[] = [];
  const request = {
    contentId,
    offset: startCell * CELL_BYTES,
    length: count * CELL_BYTES,
    referenceContentId: Buffer.alloc(0),
    repair: false,
    leaves: false,
  };
  for await (const section of session.client.download(peer, request, CONTROL_LANE, { signal })) {
    if (section.kind === 'raw') cells.push(...assembler.add(section.bytes).map(({ bytes }) => bytes));
    else if (section.kind !== 'head') throw new BbError('BAD_PEER_DATA', 'raw bytes were asked for');
  }
  if (!assembler.isComplete) throw new BbError('BAD_PEER_DATA', 'a download ended early');
  session.transfers.add(peer, 'recovered', count * CELL_BYTES);
  return cells;
}

/** Peers with a contract as the metadata lists them, each with the state that it had when the head was sealed. */
export function listedContracts(metadata: Metadata): { readonly peer: OnionId; readonly state: ContractState }[] {
  return metadata.peers.flatMap(({ pubkey, contractState }) => {
    const state = CONTRACT_STATES[contractState - 1];
    return state === undefined ? [] : [{ peer: onionIdFromPubkey(pubkey), state }];
  });
}

/** Peers, contracts and settings come back as the newest head says; what is known here already stays. */
export async function takeRecordsBack(session: Session, metadata: Metadata): Promise<void> {
  await session.registry.updateSettings((old) => ({
    ...metadata.settings,
    name: old === undefined || old.name === '' ? metadata.settings.name : old.name,
  }));
  for (const peer of metadata.peers) {
    const id = onionIdFromPubkey(peer.pubkey);
    if (id === session.self) continue;
    await session.registry.updatePeer(id, (old) => merged(peerRecord(id, peer), old));
    if (peer.contractState > 0 && session.registry.contract(id) === undefined) {
      await takeContractBack(session, id, peer);
    }
  }
}

function peerRecord(id: OnionId, peer: MetadataPeer): PeerRecord {
  return {
    onionId: id,
    name: peer.name,
    added: peer.added,
    addedMs: peer.addedAtSeconds * 1000,
    introducer: peer.introducer.length === 0 ? undefined : onionIdFromPubkey(peer.introducer),
    pinned: peer.pinned,
    aeadKey: peer.aeadKey,
    lastReachedMs: 0,
    dialledBack: false,
    blocked: peer.blocked,
    unlisted: false, // it says so again when it is met
    limitBytes: peer.limitBytes,
  };
}

/** A peer that was named for the recovery or called in has a record here that knows little but that it was reached. */
function merged(listed: PeerRecord, old: PeerRecord | undefined): PeerRecord {
  if (old === undefined) return listed;
  const { lastReachedMs, dialledBack } = old;
  const name = old.name === '' ? listed.name : old.name;
  return { ...listed, name, added: listed.added || old.added, lastReachedMs, dialledBack };
}

/** Our obligations begin again, honestly from zero bytes; what was agreed stands. */
async function takeContractBack(session: Session, id: OnionId, peer: MetadataPeer): Promise<void> {
  const nowSeconds = session.node.countedSeconds;
  const { next } = stepContract(
    newContract(nowSeconds),
    { kind: 'agreed' },
    { nowSeconds, terms: decodeTerms(peer.terms), added: peer.added },
  );
  const state = CONTRACT_STATES[peer.contractState - 1] ?? 'ACTIVE';
  await session.registry.updateContract(id, () => ({
    ...newContractRecord(session, id, peer, next),
    state: state === 'ENDING' ? state : next.state,
    conduct: { reachability: peer.reachability, integrity: peer.integrity, timeouts: 0 },
  }));
}
