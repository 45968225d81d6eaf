// The one status object: can I recover today, since when is that proven, what do I have to do?

import { escapeName } from '../core/content/path.ts';
import { CELL_BYTES } from '../core/limits.ts';
import type { ContractRecord } from '../core/records.ts';
import { pendingOf } from './answer-proposal.ts';
import { isStanding } from './contracts.ts';
import { isRestored } from './complete-recovery.ts';
import { copiesNow } from './copies.ts';
import type { Deps } from './deps.ts';
import { warningOf } from './explain.ts';
import { isHealingOpen } from './heal-own.ts';
import type { Jobs } from './jobs.ts';
import { hasLiveFork } from './lineage.ts';
import type { NodeState, ReasonView, StatusView } from './local-api.ts';
import { protectionOf } from './protection.ts';
import { wantsPublish } from './replica.ts';
import type { Session } from './session.ts';
import { peerName, replicaView, revisionView, transferViews } from './views.ts';

/** What can be said without keys. */
export function lockedStatus(
  deps: Deps,
  jobs: Jobs,
  state: NodeState,
  secretMode: 'phrase' | 'password' | undefined,
): StatusView {
  return {
    state,
    mode: undefined,
    verdict: undefined,
    reasons: [],
    onionId: '',
    name: '',
    tor: deps.tor.state(),
    revision: undefined,
    replicas: [],
    verifiedReplicas: 0,
    effectiveReplicas: 0,
    forecast: '',
    weakest: undefined,
    minReplicas: 0,
    provenMs: 0,
    jobs: jobs.views(),
    transfers: [],
    timeDivisor: deps.timeDivisor,
    version: deps.version,
    pending: false,
    missingFiles: 0,
    forks: [],
    secretMode,
    heldBytes: 0,
  };
}

export function sessionStatus(session: Session, secretMode: 'phrase' | 'password' | undefined): StatusView {
  const { deps, node, settings, newest, registry } = session;
  const contracts = registry.contracts().filter(({ state }) => state !== 'RELEASED');
  const protection = protectionOf(session);
  const replicas = contracts.map((contract) => replicaView(session, contract));
  return {
    ...lockedStatus(deps, session.jobs, 'UNLOCKED', secretMode),
    mode: node.mode,
    verdict: protection.verdict,
    reasons: [
      ...ownReasons(session),
      ...protection.reasons.map((reason) => withWait(session, reason)),
      ...waitingTerms(session, contracts),
      ...warnings(session, contracts),
    ],
    onionId: session.self,
    name: settings.name,
    revision: newest === undefined ? undefined : revisionView(newest.row),
    replicas,
    verifiedReplicas: protection.verifiedNewest,
    ...outlook(session, protection.verifiedNewest),
    minReplicas: settings.minReplicas,
    provenMs: protection.verdict === 'PROTECTED' ? provenSince(replicas, settings.minReplicas) : 0,
    transfers: transferViews(session),
    pending: node.dirty || contracts.some((contract) => wantsPublish(session, contract)),
    missingFiles: node.missingFiles,
    forks: node.forks,
    heldBytes: registry.held().reduce((sum, { value }) => sum + value.cells, 0) * CELL_BYTES,
  };
}

/** Other terms for a contract that stands: no reason for the verdict, but our user has to decide. */
function waitingTerms(session: Session, contracts: readonly ContractRecord[]): ReasonView[] {
  const waiting = contracts.filter(({ peer, state }) => isStanding(state) && pendingOf(session, peer) !== undefined);
  return waiting.map(({ peer }) => {
    const name = peerName(session, peer);
    const message = `${name} proposes other terms and waits for your answer.`;
    return { code: 'TERMS_WAIT', message, next: `bb contracts show ${name}` };
  });
}

/** Where we do not keep our side, with the cure: told before a peer lets our bytes go, and also while all is PROTECTED. */
function warnings(session: Session, contracts: readonly ContractRecord[]): ReasonView[] {
  return contracts.flatMap((contract): ReasonView[] => {
    const name = peerName(session, contract.peer);
    const message = warningOf(session, contract, name);
    if (message !== undefined) {
      const sentence = `${message.charAt(0).toUpperCase()}${message.slice(1)}.`;
      return [{ code: 'PEER_WARNS', message: sentence, next: `bb contracts show ${name}` }];
    }
    if (contract.theirPull !== 'NO_SPACE') return [];
    const full = `This disk is too full for the newest revision of ${name}.`;
    return [{ code: 'NO_SPACE_FOR_PEER', message: full, next: 'bb storage show' }];
  });
}

/** What the copies are worth by how their holders behaved, and what one more loss would mean. */
function outlook(
  session: Session,
  verified: number,
): { readonly effectiveReplicas: number; readonly forecast: string } {
  const wanted = session.settings.minReplicas;
  const spare = verified - wanted;
  const forecast =
    verified === 0
      ? ''
      : spare > 0
        ? `You can lose ${spare === 1 ? 'one peer' : `${spare} peers`} and still have ${wanted} proved ${wanted === 1 ? 'copy' : 'copies'}.`
        : verified === 1
          ? 'With one more peer lost no proved copy is left.'
          : `With one more peer lost ${verified - 1} of ${wanted} wanted copies are left.`;
  return { effectiveReplicas: copiesNow(session).effective, forecast };
}

/** The time of the check that made the last wanted copy a proved one. */
function provenSince(
  replicas: readonly { readonly verified: boolean; readonly heldMs: number }[],
  minReplicas: number,
): number {
  const held = replicas.filter(({ verified }) => verified).map(({ heldMs }) => heldMs);
  return held.toSorted((a, b) => b - a)[minReplicas - 1] ?? 0;
}

/** Names of damaged files in one sentence. */
const NAMES_SHOWN = 3;

function ownReasons(session: Session): ReasonView[] {
  const reasons: ReasonView[] = [];
  if (session.twinFound) {
    const message = 'Another machine runs under the same secret; publishing has stopped. Lock one of the two.';
    reasons.push({ code: 'TWIN', message, next: 'bb lock' });
  }
  if (session.laterFormat) {
    const message = 'A peer holds content of yours that a newer version made; nothing is published over it.';
    reasons.push({ code: 'LATER_FORMAT', message, next: 'bb version' });
  }
  if (session.catalogDamaged) {
    const message = 'The catalog on this disk is damaged; its older copy is kept.';
    reasons.push({ code: 'CATALOG_DAMAGED', message, next: 'bb doctor --fix' });
  }
  const { files, names, isIndexLost } = session.ownDamage.files;
  if (isIndexLost) {
    const isOpen = isHealingOpen(session);
    const outlook = isOpen ? 'is being fetched from the peers that hold it' : 'no peer in reach gives it back';
    const message = `The list of your files is damaged on this disk, and ${outlook}.`;
    reasons.push({ code: 'OWN_DAMAGE', message, next: isOpen ? 'bb status' : 'bb peers list' });
  } else if (files > 0) {
    const list = namesText(names, files);
    const isOpen = isHealingOpen(session);
    const outlook = isOpen ? 'are being fetched from the peers that hold them' : 'no peer in reach gives them back';
    const message = `${files} of your files are damaged on this disk, and ${outlook}: ${list}.`;
    reasons.push({ code: 'OWN_DAMAGE', message, next: isOpen ? 'bb status' : 'bb setfile PATH' });
  }
  reasons.push(...missingReasons(session));
  const { nextMs, tries } = session.search;
  if (session.node.mode === 'normal' && session.node.belowSeconds >= 0 && tries > 0) {
    const minutes = Math.max(1, Math.ceil((nextMs - session.deps.clock.monotonicMs()) / 60_000));
    const message = `Another storer is looked for; nobody willing was found yet. Asked again in ${minutes} min.`;
    reasons.push({ code: 'SEEKING', message, next: 'bb connect ONION-ID' });
  }
  if (session.node.forks.length > 0) {
    reasons.push(forkReason(session));
  }
  return reasons;
}

/** What a recovery waits for, and whether the files are here already. */
function withWait(session: Session, reason: ReasonView): ReasonView {
  const { waitingFor } = session.recovery;
  if (reason.code !== 'RECOVERING' || waitingFor === '') return reason;
  const what = isRestored(session) ? 'The files are back, and nothing is published yet' : reason.message.slice(0, -1);
  return { ...reason, message: `${what}: this node waits for ${waitingFor}.` };
}

/** Names of files in one sentence. */
function namesText(names: readonly Buffer[], files: number): string {
  const shown = names.slice(0, NAMES_SHOWN).map((name) => `"${escapeName(name)}"`);
  return `${shown.join(', ')}${files > shown.length ? ', ...' : ''}`;
}

/** Until the files are set again or given up. */
function missingReasons({ node }: Session): ReasonView[] {
  const { missingFiles, missingNames } = node;
  if (missingFiles === 0) return [];
  const many = missingFiles === 1 ? '1 file was' : `${missingFiles} files were`;
  const list = missingNames.length === 0 ? '' : `: ${namesText(missingNames, missingFiles)}`;
  const message = `${many} not brought back by the recovery${list}. Set again what you have; bb init complete --accept-loss gives it up.`;
  return [{ code: 'NOT_RECOVERED', message, next: 'bb setfile PATH' }];
}

function forkReason(session: Session): ReasonView {
  if (hasLiveFork(session)) {
    const message =
      'Another machine with your words made revisions beside yours (a fork), so nothing is published. Stop it for good; then both can be merged.';
    return { code: 'FORK', message, next: 'bb init complete' };
  }
  if (session.recovery.stuckForks.size > 0) {
    const message =
      'A fork is to be merged, and no peer that answered gives some of its cells. The files that are whole can be taken.';
    return { code: 'FORK', message, next: 'bb init complete' };
  }
  return {
    code: 'FORK',
    message: 'The files of a fork are added to yours as soon as a peer gives them.',
    next: 'bb status',
  };
}
