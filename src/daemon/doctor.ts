// `bb doctor`: looks at all that a node stands on, one finding each, and with --fix puts in order what can be put in order
// here. It works locked, and when header or catalog cannot be opened (docs/operations.md, "Disk full, disk damaged").
// Invariant: nothing is thrown away: what is replaced is kept under another name.

import { BbError } from '../core/errors.ts';
import type { CatalogReport } from '../ports/catalog-repair.ts';
import type { DirReport } from '../ports/data-dir.ts';
import type { Daemon } from './daemon.ts';
import { checkChunks } from './doctor-chunks.ts';
import { checkClock, checkSpace, checkTor } from './doctor-surroundings.ts';
import { finding } from './finding.ts';
import type { DoctorArgs, DoctorUpdate, Finding } from './local-api.ts';
import { planRepairs } from './plan-repairs.ts';
import { readData } from './read-data.ts';
import type { Session } from './session.ts';

const LOOKS = [
  checkCatalog,
  checkHeader,
  checkPacks,
  checkChunks,
  checkPermissions,
  checkSpace,
  checkClock,
  checkTor,
] as const;

/** LOCKED when data is to be read without keys. */
export async function* doctor(daemon: Daemon, args: DoctorArgs, signal: AbortSignal): AsyncGenerator<DoctorUpdate> {
  if (args.readData && daemon.state !== 'UNLOCKED' && daemon.damage === undefined) {
    throw new BbError('LOCKED', 'cells can be read on an unlocked node only');
  }
  for (const look of LOOKS) {
    signal.throwIfAborted();
    for (const found of await look(daemon, args.fix)) yield { kind: 'finding', finding: found };
  }
  if (args.readData && daemon.state === 'UNLOCKED') yield* readData(daemon.session, args.fix, signal);
}

/** Reading the header replaces bad copies from a good one, so the look comes before it. */
async function checkHeader({ deps }: Daemon, fix: boolean): Promise<Finding[]> {
  const bad = badHeaders(await deps.dataDir.inspect());
  try {
    if (!fix && bad.length < HEADER_COPIES)
      return [bad.length === 0 ? HEADER_OK : finding('header', 'warning', ...oneBad(bad))];
    const header = await deps.dataDir.readHeader();
    if (header === undefined) return [finding('header', 'ok', 'no identity yet', 'bb init')];
    const left = badHeaders(await deps.dataDir.inspect());
    if (bad.length === 0) return [HEADER_OK];
    if (left.length > 0) return [finding('header', 'warning', ...oneBad(left))];
    return [finding('header', 'fixed', `replaced from a good copy: ${bad.join(', ')}`)];
  } catch (error) {
    if (!(error instanceof BbError)) throw error;
    return [finding('header', 'cannot-fix', error.message, error.hint)];
  }
}

const HEADER_COPIES = 3;
const HEADER_OK = finding('header', 'ok', 'all three copies are good');

function badHeaders({ headers }: DirReport): string[] {
  return headers.filter(({ state }) => state !== 'good').map(({ name, state }) => `${name} is ${state}`);
}

function oneBad(bad: readonly string[]): [message: string, hint: string] {
  return [`${bad.join(', ')}; another copy is good`, 'bb doctor --fix'];
}

async function checkCatalog(daemon: Daemon, fix: boolean): Promise<Finding[]> {
  const report = await daemon.deps.catalog.inspect();
  if (daemon.state === 'NOT_INITIALISED') return [finding('catalog', 'ok', 'no identity yet')];
  const rows = daemon.state === 'UNLOCKED' ? await daemon.deps.catalog.verify() : undefined;
  const problems = [...report.problems, ...(rows?.catalog ?? []), ...unlockProblem(daemon, report)];
  if (problems.length === 0) return [soundCatalog(report), await checkCopy(daemon, report, fix)];
  const words = damageWords(problems);
  if (!fix) return [finding('catalog', 'damaged', words, 'bb doctor --fix'), copyFinding(daemon, report)];
  // A copy that was tried and whose rows do not open is of no use a second time.
  const isCopyBad = (rows?.copy.length ?? 0) > 0 || (report.problems.length === 0 && report.rebuiltFrom === 'copy');
  const source = await daemon.rebuildCatalog(isCopyBad);
  return [finding('catalog', 'fixed', `${words}; ${REBUILT_WORDS[source]}`, 'bb unlock')];
}

const PROBLEMS_SHOWN = 3;
/** What an error says that knows no more than this. */
const DAMAGED = 'the catalog is damaged';

function damageWords(problems: readonly string[]): string {
  const told = [...new Set(problems)].filter((problem) => problem !== DAMAGED).slice(0, PROBLEMS_SHOWN);
  return told.length === 0
    ? 'the catalog (state.db) is damaged'
    : `the catalog (state.db) is damaged: ${told.join('; ')}`;
}

const REBUILT_WORDS = {
  copy: 'it was put back from its copy (state.bak), and bb unlock finds in the packs what came later; the damaged files are kept as state.db.damaged-*',
  nothing:
    'there is no good copy, so bb unlock rebuilds your content from the packs and peers tell the rest; the damaged files are kept as state.db.damaged-*',
} as const;

/** Rows that do not open show only when the secret is there: what unlock met counts. */
function unlockProblem({ damage }: Daemon, { problems }: CatalogReport): string[] {
  return damage?.of === 'catalog' && problems.length === 0 ? [damage.error.message] : [];
}

function soundCatalog({ rebuiltFrom }: CatalogReport): Finding {
  return rebuiltFrom === undefined
    ? finding('catalog', 'ok', 'sound')
    : finding('catalog', 'fixed', 'it was put back; the packs were not searched yet for what came later', 'bb unlock');
}

async function checkCopy(daemon: Daemon, report: CatalogReport, fix: boolean): Promise<Finding> {
  const found = copyFinding(daemon, report);
  // Before the packs were searched the copy may know more than the catalog ever will.
  if (!fix || found.state === 'ok' || report.rebuiltFrom !== undefined) return found;
  await daemon.deps.catalog.backup();
  return finding('copy', 'fixed', 'a new copy of the catalog (state.bak) was made');
}

/** A node that runs makes a copy each period; twice that is late. */
function copyFinding({ deps }: Daemon, { copy, copyMs }: CatalogReport): Finding {
  if (copy !== 'good')
    return finding('copy', 'warning', `the copy of the catalog (state.bak) is ${copy}`, 'bb doctor --fix');
  const ageMs = deps.clock.nowMs() - copyMs;
  const hours = Math.max(0, Math.floor(ageMs / HOUR_MS));
  if (ageMs > 2 * deps.periods.catalogBackup + HOUR_MS) {
    return finding('copy', 'warning', `the copy of the catalog (state.bak) is ${hours} h old`, 'bb doctor --fix');
  }
  return finding('copy', 'ok', `good, ${hours} h old`);
}

const HOUR_MS = 3_600_000;

async function checkPacks(daemon: Daemon, fix: boolean): Promise<Finding[]> {
  const { packs, damagedPacks, problems } = await daemon.deps.catalog.inspect();
  if (problems.length > 0) {
    return [finding('packs', 'warning', 'not looked at: what they should hold is in the catalog')];
  }
  if (damagedPacks.length === 0)
    return [finding('packs', 'ok', `${packs} packs are there and as long as they should be`)];
  return damagedPacks.map(({ store, pack, damage, cells }) => {
    const what = `${store}/pack-${pack} ${DAMAGE_WORDS[damage]}; it holds ${cells} cells of ${WHOSE[store]}`;
    const { words, hint } = planRepairs(sessionOf(daemon), store, fix, 'bb doctor --fix');
    return finding('packs', 'damaged', `${what}; ${words}`, hint);
  });
}

function sessionOf(daemon: Daemon): Session | undefined {
  return daemon.state === 'UNLOCKED' ? daemon.session : undefined;
}

const DAMAGE_WORDS = { missing: 'is missing', short: 'is cut short', header: 'has a damaged header' } as const;
const WHOSE = { own: 'your own content', peers: 'peers' } as const;

async function checkPermissions({ deps }: Daemon, fix: boolean): Promise<Finding[]> {
  const open = (await deps.dataDir.inspect()).openToOthers;
  if (open.length === 0) return [finding('permissions', 'ok', 'the data directory is yours alone')];
  const words = `others may read or write ${open.slice(0, NAMES_SHOWN).join(', ')}${open.length > NAMES_SHOWN ? ', ...' : ''}`;
  if (!fix) return [finding('permissions', 'warning', words, 'bb doctor --fix')];
  await deps.dataDir.tidy();
  return [finding('permissions', 'fixed', `${words} no more`)];
}

const NAMES_SHOWN = 5;
