// Contracts as people read them.

import { formatBytes } from '../src/core/format-bytes.ts';
import type { ContractInfo, OpenTerms } from '../src/gen/clirpc/v1/clirpc.ts';
import { checkText, isOlderProved } from './check-text.ts';
import { formatSeconds, formatTable, shortId } from './format.ts';
import { safeText } from './safe-text.ts';

export function peerTitle(contract: ContractInfo): string {
  return safeText(contract.peer?.name || shortId(contract.peer?.onionServiceId ?? ''));
}

/** An open proposal in one line. */
export function openTermsText(open: OpenTerms): string {
  const term = open.durationSeconds === 0n ? 'open term' : formatSeconds(open.durationSeconds);
  const sizes = `we store ${formatBytes(open.giveBytes)}, they store ${formatBytes(open.getBytes)}`;
  return `${sizes}, ${term}, older revisions kept ${formatSeconds(open.holdSeconds)}`;
}

function openRows(contract: ContractInfo): string[][] {
  const { open } = contract;
  if (open === undefined) return [];
  const who = open.waitsForUs
    ? 'the peer proposes; bb contracts accept or reject'
    : open.proposedByUs
      ? 'proposed by us, not answered yet'
      : 'accepted by us, the peer has to hear it';
  return [['proposed', `${openTermsText(open)} (${who})`]];
}

/** Of a contract that is not agreed yet or over, neither side owes the other any time. */
export function owedRows({ state, theirRemainingSeconds, ourRemainingSeconds }: ContractInfo): string[][] {
  if (!stands(state)) return [];
  return [
    ['they keep ours', `${formatSeconds(ourRemainingSeconds)} if we stop`],
    ['we keep theirs', `${formatSeconds(theirRemainingSeconds)} if they stop`],
  ];
}

/** Terms bind both sides: neither a first proposal nor a memory. */
export function stands(state: string): boolean {
  return state !== 'PROPOSED' && state !== 'RELEASED';
}

/** What waits for a word, where the state does not say it. */
function openNote({ state, open }: ContractInfo): string {
  if (open === undefined) return '';
  if (open.waitsForUs) return stands(state) ? ', new terms wait for you' : ', waits for you';
  return stands(state) ? ', new terms are open' : '';
}

function lastCheck({ replica }: ContractInfo): string {
  if (replica === undefined || replica.outcome === '') return '-';
  return `${safeText(replica.outcome)}${isOlderProved(replica) ? ', an older one' : ''}`;
}

export function contractTable(contracts: readonly ContractInfo[]): string {
  const head = ['PEER', 'STATE', 'GIVE', 'GET', 'OURS IS THERE', 'LAST CHECK', 'THEIRS IS HERE'];
  const rows = contracts.map((contract) => [
    peerTitle(contract),
    `${safeText(contract.state)}${openNote(contract)}`,
    formatBytes(contract.giveBytes),
    formatBytes(contract.getBytes),
    contract.ourContentSynced ? 'newest' : contract.replica?.sequence ? 'older' : 'no',
    lastCheck(contract),
    formatBytes(contract.theirContentLength),
  ]);
  return formatTable([head, ...rows]);
}

export function contractText(contract: ContractInfo, nowMs: number): string {
  const { replica } = contract;
  const term = contract.durationSeconds === 0n ? 'open' : formatSeconds(contract.durationSeconds);
  return formatTable([
    ...openRows(contract),
    ['peer', `${peerTitle(contract)} (${contract.online ? 'online' : 'offline'})`],
    ['state', `${safeText(contract.state)} - ${safeText(contract.explanation)}`],
    ['we store', `${formatBytes(contract.theirContentLength)} of ${formatBytes(contract.giveBytes)}`],
    ['they store', `up to ${formatBytes(contract.getBytes)}`],
    ['term', `${term}, notice ${formatSeconds(contract.noticeSeconds)}`],
    ['older revisions', `kept ${formatSeconds(contract.holdSeconds)}`],
    ['checks', `every ${formatSeconds(contract.checkPeriodSeconds)}`],
    ...owedRows(contract),
    ['our content', contract.ourContentSynced ? 'newest revision there' : 'newest revision not there'],
    ['last check', (replica && checkText(replica, nowMs)) || 'none'],
  ]);
}
