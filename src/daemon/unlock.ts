// From a secret to a working session: keys, catalog, packs, workers, network. Nothing of a session
// exists when this fails half-way.

import type { Keyring } from '../core/crypto/keyring.ts';
import { normalisePassword, normalisePhrase } from '../core/crypto/normalise.ts';
import { BbError } from '../core/errors.ts';
import type { Header } from '../ports/data-dir.ts';
import { findLate, finishRebuild } from './adopt-late.ts';
import type { Deps } from './deps.ts';
import type { EventBus } from './event-bus.ts';
import { deriveKeyring, initialRecords } from './init.ts';
import type { InitialRecords } from './init.ts';
import type { Jobs } from './jobs.ts';
import { Registry } from './registry.ts';
import { Session } from './session.ts';
import { sweep } from './sweep.ts';
import { TASKS } from './tasks.ts';

/** NOT_INITIALISED, WRONG_SECRET, INTEGRITY when the keys in the header are damaged. Wipes `secret`. */
export async function openKeyring(deps: Deps, secret: Buffer): Promise<Keyring> {
  const header = await requireHeader(deps);
  const typed = secret.toString('utf8');
  secret.fill(0);
  const keyring = await deriveKeyring(deps, normaliseForUnlock(header, typed), header.mode, header.account);
  if (!keyring.isVerifyTag(header.verify)) {
    keyring.wipe();
    throw new BbError('WRONG_SECRET', 'this is not the secret of this node');
  }
  for (const key of Object.values(dirKeys(keyring, header))) key.fill(0);
  return keyring;
}

function dirKeys(keyring: Keyring, header: Header): { readonly wrapKey: Buffer; readonly rowKey: Buffer } {
  const wrapKey = keyring.unwrapDirKey('wrap', header.wrappedWrapKey);
  const rowKey = keyring.unwrapDirKey('row', header.wrappedRowKey);
  if (wrapKey === undefined || rowKey === undefined) {
    throw new BbError('INTEGRITY', 'the keys of this data directory are damaged');
  }
  return { wrapKey, rowKey };
}

/** Opens everything under these keys. `initial` is written where a new directory has no records yet. */
export async function openSession(
  deps: Deps,
  keyring: Keyring,
  bus: EventBus,
  jobs: Jobs,
  initial: InitialRecords | undefined,
): Promise<Session> {
  const { wrapKey, rowKey } = dirKeys(keyring, await requireHeader(deps));
  let session: Session | undefined;
  try {
    await deps.catalog.unlock(rowKey);
    await unlockWorkers(deps, keyring, wrapKey, rowKey);
    const late = await findLate(deps, keyring);
    if (late !== undefined) await deps.catalog.markRebuilt();
    if ((await deps.catalog.rebuiltFrom()) !== undefined) await deps.catalog.adoptHeldCells(wrapKey);
    const registry = new Registry(deps.catalog, deps.random);
    await registry.load();
    const fallback = initial ?? initialRecords(deps, 'blocked', '', false);
    if (registry.settings === undefined) await registry.updateSettings(() => fallback.settings);
    if (registry.node === undefined) await registry.updateNode(() => fallback.node);
    const cells = await deps.openPeerCells(wrapKey);
    session = new Session(deps, keyring, registry, cells, bus, jobs, TASKS);
    await loadNewest(session);
    await finishRebuild(session, late);
    await sweep(session);
    return session;
  } catch (error) {
    await session?.close();
    await deps.workers.lock();
    await deps.catalog.lock();
    throw error;
  } finally {
    wrapKey.fill(0);
    rowKey.fill(0);
  }
}

async function requireHeader(deps: Deps): Promise<Header> {
  const header = await deps.dataDir.readHeader();
  if (header === undefined) throw new BbError('NOT_INITIALISED', 'this data directory has no identity yet');
  return header;
}

/** A phrase with a typing error is simply a wrong secret here; `init` is where its checksum is explained. */
function normaliseForUnlock(header: Header, typed: string): string {
  try {
    return header.mode === 'phrase' ? normalisePhrase(typed) : normalisePassword(typed);
  } catch (error) {
    throw new BbError('WRONG_SECRET', 'this is not the secret of this node', { cause: error });
  }
}

async function unlockWorkers(deps: Deps, keyring: Keyring, wrapKey: Buffer, rowKey: Buffer): Promise<void> {
  const cell = keyring.cellKeys();
  const chunk = keyring.chunkKeys();
  await deps.workers.unlock({
    pubkey: keyring.pubkey,
    cellId: cell.id,
    cellEnc: cell.enc,
    chunkId: chunk.id,
    cdc: chunk.cdc,
    wrapKey: Buffer.from(wrapKey),
    rowKey: Buffer.from(rowKey),
  });
}

async function loadNewest(session: Session): Promise<void> {
  const row = await session.deps.catalog.newestRevision();
  if (row === undefined) return;
  const metadata = session.deps.metadata.decode(row.metadata);
  if (metadata === undefined) throw new BbError('INTEGRITY', 'the metadata of the newest revision is damaged');
  session.newest = { row, metadata };
}
