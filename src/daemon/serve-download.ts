// Answers Download. A blob is served to its owner (whatever the state of the contract, until it is
// evicted), and our own blob to the storers that were offered it. Everybody else, and every id that
// does not exist, gets the same refusal.

import { HASH_BYTES, leafHash } from '../core/content/merkle.ts';
import { BbError, isBbError } from '../core/errors.ts';
import type { OnionId } from '../core/ids.ts';
import { CELL_BYTES, DOWNLOAD_SECTION_BYTES, LEAVES_PER_SECTION } from '../core/limits.ts';
import type { HeldRecord } from '../core/records.ts';
import { isSamePlace } from '../core/policy/packs.ts';
import { UploadServing } from '../core/policy/serving.ts';
import { PeerRefusal } from '../core/refusal.ts';
import type { CommonRun } from '../ports/catalog.ts';
import type { CellPosition } from '../ports/cell-store.ts';
import type { DownloadRequest, DownloadSection } from '../ports/peer-client.ts';
import { suspectBlobCells } from './heal-own.ts';
import { noteHeldDamage } from './held-damage.ts';
import { ownBlob } from './own-blobs.ts';
import { openRepair } from './serve-repair.ts';
import type { ServingRule } from './serve-repair.ts';
import type { Session } from './session.ts';

/** Cells that are read ahead of the network, per stream. */
const READ_AHEAD = 2;
/** Leaves of a held list that one stream keeps: a page of the catalog. */
const LEAVES_AT_ONCE = 1024;

type Range = { readonly from: number; readonly to: number };

export function serveDownload(
  session: Session,
  caller: OnionId,
  request: DownloadRequest,
  signal: AbortSignal,
): AsyncIterable<DownloadSection> {
  const held = session.registry
    .heldOf(caller)
    .find(({ value }) => value.role !== 'pulling' && value.contentId.equals(request.contentId));
  if (held !== undefined) return serveHeld(session, caller, held.value, request, signal);
  const replica = session.registry.contract(caller)?.replica;
  if (replica?.lists.some((id) => id.equals(request.contentId)) !== true) throw new PeerRefusal('UNKNOWN_CONTENT');
  return unlessSuperseded(session, caller, request.contentId, serveOwn(session, caller, request, signal));
}

async function* serveHeld(
  session: Session,
  owner: OnionId,
  held: HeldRecord,
  request: DownloadRequest,
  signal: AbortSignal,
): AsyncGenerator<DownloadSection> {
  const range = cellRange(request, held.cells);
  yield { kind: 'head', totalBytes: held.cells * CELL_BYTES, root: held.root };
  if (request.leaves) {
    yield* leafSections((from, count) => session.deps.catalog.heldLeaves(held.list, from, count), range);
    return;
  }
  let at = range.from;
  const read = inTurn(session, owner, heldReader(session, held), signal);
  for await (const cell of readAhead(read, range, signal)) {
    if (cell === undefined) {
      await noteHeldDamage(session, held, [at]);
      throw new PeerRefusal('REPLICA_LOST');
    }
    at += 1;
    session.transfers.add(owner, 'returned', CELL_BYTES);
    yield* rawSections(cell);
  }
}

/** Reads cells of a list. Undefined when our disk lost one or rotted: the owner is told so, and asks elsewhere. */
function heldReader({ deps, cells }: Session, held: HeldRecord): (cell: number) => Promise<Buffer | undefined> {
  let known: { readonly from: number; readonly leaves: Promise<Buffer> } | undefined;
  const leafOf = async (cell: number): Promise<Buffer> => {
    const from = cell - (cell % LEAVES_AT_ONCE);
    if (known?.from !== from) {
      const count = Math.min(LEAVES_AT_ONCE, held.cells - from);
      known = { from, leaves: deps.catalog.heldLeaves(held.list, from, count) };
    }
    return (await known.leaves).subarray((cell - from) * HASH_BYTES, (cell - from + 1) * HASH_BYTES);
  };
  const readAt = async (position: CellPosition): Promise<Buffer | undefined> => {
    try {
      return await cells.read(position);
    } catch (error) {
      if (isBbError(error, 'INTEGRITY')) return undefined;
      throw error;
    }
  };
  return async (cell) => {
    let [position] = await deps.catalog.heldPositions(held.list, cell, 1);
    while (position !== undefined) {
      const from = position;
      const bytes = await readAt(from);
      if (bytes !== undefined && leafHash(bytes).equals(await leafOf(cell))) return bytes;
      // It may have moved meanwhile (rewrite-packs.ts), and that is no damage.
      [position] = await deps.catalog.heldPositions(held.list, cell, 1);
      if (position !== undefined && isSamePlace(position, from)) return undefined;
    }
    return undefined;
  };
}

/** A newer revision was offered to this storer, or this one dropped, while it was on its way: no fault of anybody. */
async function* unlessSuperseded<T>(
  session: Session,
  peer: OnionId,
  contentId: Buffer,
  sections: AsyncIterable<T>,
): AsyncGenerator<T> {
  try {
    yield* sections;
  } catch (error) {
    const isDropped = isBbError(error, 'NOT_FOUND');
    const isRefused = error instanceof PeerRefusal && error.refusal === 'BAD_RANGE';
    if (isDropped || (isRefused && isReplaced(session, peer, contentId))) throw new PeerRefusal('SUPERSEDED');
    throw error;
  }
}

/** Another revision is offered or acknowledged in its place. */
function isReplaced({ registry }: Session, peer: OnionId, contentId: Buffer): boolean {
  const replica = registry.contract(peer)?.replica;
  return replica !== undefined && !replica.offered.equals(contentId) && !replica.acknowledged.equals(contentId);
}

async function* serveOwn(
  session: Session,
  peer: OnionId,
  request: DownloadRequest,
  signal: AbortSignal,
): AsyncGenerator<DownloadSection> {
  const { catalog } = session.deps;
  const blob = await ownBlob(session, peer, request.contentId);
  if (blob === undefined) throw new PeerRefusal('UNKNOWN_CONTENT');
  const { cells, root } = blob;
  const range = cellRange(request, cells);
  const known = request.referenceContentId.length > 0 && (await catalog.revision(request.referenceContentId));
  const runs = known ? await catalog.commonRuns(request.contentId, request.referenceContentId) : [];
  yield { kind: 'head', totalBytes: cells * CELL_BYTES, root };
  for (const part of splitByRuns(range, runs)) {
    if (part.reference !== undefined) {
      yield {
        kind: 'reference',
        offsetBytes: part.reference * CELL_BYTES,
        lengthBytes: (part.to - part.from) * CELL_BYTES,
      };
    } else if (request.leaves) {
      yield* leafSections((from, count) => ownLeaves(session, peer, request.contentId, from, count), part);
    } else {
      yield* rawOwn(session, peer, request, part, cells, signal);
    }
  }
}

/** Raw cells of ours: of an open upload, or again after a loss that the storer confessed. */
async function* rawOwn(
  session: Session,
  peer: OnionId,
  request: DownloadRequest,
  range: Range,
  blobCells: number,
  signal: AbortSignal,
): AsyncGenerator<DownloadSection> {
  const { contentId } = request;
  if (!request.repair || isOpenUpload(session, peer, contentId)) {
    const serving = await openServing(session, peer, contentId, blobCells);
    yield* ownCells(session, peer, contentId, range, serveIfOpen(session, peer, contentId, serving), signal);
    return;
  }
  const repair = await openRepair(session, peer, contentId, blobCells, range.to - range.from);
  try {
    yield* ownCells(session, peer, contentId, range, repair, signal);
  } finally {
    await repair.end();
  }
}

async function ownLeaves(
  session: Session,
  peer: OnionId,
  contentId: Buffer,
  from: number,
  count: number,
): Promise<Buffer> {
  const leaves = await session.deps.catalog.peerLeaves(peer, contentId, from, count);
  if (leaves === undefined) throw new PeerRefusal('UNKNOWN_CONTENT');
  return leaves;
}

async function* ownCells(
  session: Session,
  peer: OnionId,
  contentId: Buffer,
  range: Range,
  rule: ServingRule,
  signal: AbortSignal,
): AsyncGenerator<DownloadSection> {
  const taken = new Set<number>();
  const read = (cell: number) => {
    if (session.uploads.isChallenged(peer, contentId)) throw new PeerRefusal('CHALLENGE_BUSY', 1);
    rule.take(cell);
    taken.add(cell);
    return session.deps.workers.sealCell(peer, contentId, cell);
  };
  let at = range.from;
  try {
    for await (const cell of readAhead(inTurn(session, peer, read, signal), range, signal)) {
      if (cell === undefined) {
        await suspectBlobCells(session, contentId, [at]);
        throw new BbError('INTEGRITY', 'an own cell is damaged');
      }
      taken.delete(at);
      at += 1;
      session.transfers.add(peer, 'served', CELL_BYTES);
      yield* rawSections(cell);
    }
  } finally {
    // Read ahead and never sent, or damaged here.
    for (const cell of taken) rule.takeBack(cell);
  }
}

/** Refuses a cell that a storer could only want in order to answer a challenge with it. */
function serveIfOpen(session: Session, peer: OnionId, contentId: Buffer, serving: UploadServing): ServingRule {
  return {
    take: (cell) => {
      const answer = serving.serve(cell, isOpenUpload(session, peer, contentId), session.deps.clock.monotonicMs());
      if (answer === 'too-often') throw new PeerRefusal('RATE_LIMITED', 60);
      if (answer === 'held-already') throw new PeerRefusal('BAD_RANGE');
    },
    takeBack: (cell) => serving.takeBack(cell),
  };
}

/** Offered and not acknowledged yet. */
function isOpenUpload({ registry }: Session, peer: OnionId, contentId: Buffer): boolean {
  const replica = registry.contract(peer)?.replica;
  return replica?.offered.equals(contentId) === true && !replica.acknowledged.equals(contentId);
}

/** The counts of this upload, begun with the first cell that is asked for. */
async function openServing(session: Session, peer: OnionId, contentId: Buffer, cells: number): Promise<UploadServing> {
  const open = session.uploads.serving(peer, contentId);
  if (open?.kind === 'upload') return open;
  const acknowledged = session.registry.contract(peer)?.replica.acknowledged ?? Buffer.alloc(0);
  const known = acknowledged.length > 0 && (await session.deps.catalog.revision(acknowledged)) !== undefined;
  const runs = known ? await session.deps.catalog.commonRuns(contentId, acknowledged) : [];
  const held = new Uint8Array(cells);
  for (const run of runs) held.fill(1, run.cell, run.cell + run.cells);
  const nowMs = session.deps.clock.monotonicMs();
  const serving = new UploadServing(contentId, cells, (cell) => held[cell] === 1, nowMs);
  session.uploads.begin(peer, serving);
  return serving;
}

/** Cells `from` up to but not including `to`; BAD_RANGE for anything that is not whole cells inside the blob. */
function cellRange(request: DownloadRequest, cells: number): Range {
  const from = request.offset / CELL_BYTES;
  const to = request.length === 0 ? cells : from + request.length / CELL_BYTES;
  if (!Number.isInteger(from) || !Number.isInteger(to) || from < 0 || to < from || to > cells) {
    throw new PeerRefusal('BAD_RANGE');
  }
  return { from, to };
}

function* splitByRuns(
  range: Range,
  runs: readonly CommonRun[],
): Generator<Range & { readonly reference: number | undefined }> {
  let at = range.from;
  for (const run of runs) {
    const from = Math.max(at, run.cell);
    const to = Math.min(range.to, run.cell + run.cells);
    if (from >= to) continue;
    if (from > at) yield { from: at, to: from, reference: undefined };
    yield { from, to, reference: run.referenceCell + (from - run.cell) };
    at = to;
  }
  if (at < range.to) yield { from: at, to: range.to, reference: undefined };
}

async function* leafSections(
  read: (from: number, count: number) => Promise<Buffer>,
  range: Range,
): AsyncGenerator<DownloadSection> {
  for (let from = range.from; from < range.to; from += LEAVES_PER_SECTION) {
    const count = Math.min(LEAVES_PER_SECTION, range.to - from);
    yield { kind: 'leaves', leaves: await read(from, count) };
  }
}

function* rawSections(cell: Buffer): Generator<DownloadSection> {
  for (let at = 0; at < CELL_BYTES; at += DOWNLOAD_SECTION_BYTES) {
    yield { kind: 'raw', bytes: cell.subarray(at, at + DOWNLOAD_SECTION_BYTES) };
  }
}

/** Reads each cell when it is this peer's turn; an owner that recovers goes before others. */
function inTurn(
  { fairQueue, recoveringPeers }: Session,
  peer: OnionId,
  read: (cell: number) => Promise<Buffer | undefined>,
  signal: AbortSignal,
): (cell: number) => Promise<Buffer | undefined> {
  return async (cell) => {
    const end = await fairQueue.turn(peer, recoveringPeers.has(peer), signal);
    if (end === undefined) throw new BbError('INTERRUPTED', 'the reader is gone');
    try {
      return await read(cell);
    } finally {
      end();
    }
  };
}

/** Reads up to READ_AHEAD cells before they are asked for, in order. */
async function* readAhead(
  read: (cell: number) => Promise<Buffer | undefined>,
  range: Range,
  signal: AbortSignal,
): AsyncGenerator<Buffer | undefined> {
  const pending: Promise<Buffer | undefined>[] = [];
  let next = range.from;
  try {
    while (!signal.aborted && (next < range.to || pending.length > 0)) {
      while (next < range.to && pending.length < READ_AHEAD) pending.push(startRead(read, next++));
      yield await pending.shift();
    }
  } catch (error) {
    if (!signal.aborted) throw error;
  } finally {
    await Promise.allSettled(pending);
  }
}

/** A read whose failure is kept for whoever awaits it, so that it is never unhandled. */
function startRead(read: (cell: number) => Promise<Buffer | undefined>, cell: number): Promise<Buffer | undefined> {
  const result = (async () => read(cell))();
  result.catch(() => undefined);
  return result;
}
