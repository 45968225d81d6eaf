// The one question on one screen, in this order: can I recover today, since when is that proven, what do I have to do.

import { formatBytes } from '../src/core/format-bytes.ts';
import type { StatusResponse } from '../src/gen/clirpc/v1/clirpc.ts';
import { NodeMode, NodeState, Verdict } from '../src/gen/clirpc/v1/clirpc.ts';
import { checkText, isOlderProved } from './check-text.ts';
import { formatAgo, formatCount, shortId } from './format.ts';
import type { Output } from './output.ts';
import { progressText } from './progress.ts';
import { safeName, safeText } from './safe-text.ts';

type Colors = Output['colors'];

/** What a person reads for `bb status`. `nowMs` is Unix milliseconds. */
export function statusText(status: StatusResponse, colors: Colors, nowMs: number): string {
  if (status.state === NodeState.NODE_STATE_NOT_INITIALISED) return 'NOT INITIALISED\n  next: bb init';
  if (status.state === NodeState.NODE_STATE_LOCKED) {
    return ['LOCKED - nothing is kept, offered or checked until the secret is given', '  next: bb unlock']
      .concat(torLines(status), oddities(status))
      .join('\n');
  }
  return [verdictLine(status, colors, nowMs), ...nextLines(status)]
    .concat(contentLines(status), replicaLines(status, nowMs), jobLines(status), torLines(status), oddities(status))
    .join('\n');
}

function verdictLine(status: StatusResponse, colors: Colors, nowMs: number): string {
  const [reason] = status.reasons;
  const why = reason === undefined ? '' : ` - ${safeText(reason.message)}`;
  const since = status.provenMs > 0n ? ` (proven ${formatAgo(status.provenMs, nowMs)})` : '';
  if (status.reasons.some(({ code }) => code === 'NO_CONTENT')) return `NOTHING TO PROTECT${why}`;
  switch (status.verdict) {
    case Verdict.VERDICT_PROTECTED:
      return `${colors.green(colors.bold('PROTECTED'))}${why}${since}`;
    case Verdict.VERDICT_AT_RISK:
      return `${colors.yellow(colors.bold('AT RISK'))}${why}`;
    case Verdict.VERDICT_NOT_PROTECTED:
      return `${colors.red(colors.bold('NOT PROTECTED'))}${why}`;
    default:
      return `NOTHING TO PROTECT${why === '' ? ' - no file is set' : why}`;
  }
}

function nextLines(status: StatusResponse): string[] {
  const [first, ...others] = status.reasons;
  const next = (command: string): string[] => (command === '' ? [] : [`  next: ${safeText(command)}`]);
  return [...next(first?.next ?? ''), ...others.flatMap((r) => [`  also: ${safeText(r.message)}`, ...next(r.next)])];
}

function contentLines(status: StatusResponse): string[] {
  const files = `${formatCount(status.fileCount, 'file', 'files')}, ${formatBytes(status.fileBytes)}`;
  const sequence = status.revision === undefined ? '' : ` (revision ${status.revision.sequence})`;
  const wanted = `${status.verifiedReplicas} of ${status.minReplicas} verified replicas`;
  return [
    `  content   ${files}${sequence}${status.pending ? ', changes not offered everywhere yet' : ''}`,
    `  replicas  ${wanted}${worth(status)}`,
    ...weakestLine(status),
    ...(status.forecast === '' ? [] : [`  outlook   ${safeText(status.forecast)}`]),
  ];
}

/** Shown where some files have fewer proved copies than others: what changed last, as a rule. */
function weakestLine({ weakest, minReplicas }: StatusResponse): string[] {
  const [first] = weakest?.names ?? [];
  if (weakest === undefined || first === undefined) return [];
  const others = Number(weakest.files) - 1;
  const more = others > 0 ? ` and ${formatCount(others, 'more file', 'more files')}` : '';
  return [`  weakest   "${safeName(first)}"${more}: ${weakest.copies} of ${minReplicas} proved copies`];
}

/** Shown where the holders are worth less than their number. */
function worth({ effectiveReplicasPermille, verifiedReplicas }: StatusResponse): string {
  const effective = effectiveReplicasPermille / 1000;
  return verifiedReplicas - effective >= 0.1 ? `, worth ${effective.toFixed(1)} by how their holders behaved` : '';
}

function replicaLines(status: StatusResponse, nowMs: number): string[] {
  return status.replicas.map((replica) => {
    const name = safeText(replica.peer?.name || shortId(replica.peer?.onionServiceId ?? ''));
    const held = replica.newest
      ? 'newest revision'
      : replica.sequence > 0n
        ? `revision ${replica.sequence}`
        : 'nothing';
    const last = checkText(replica, nowMs);
    const check = last === '' ? 'not checked' : isOlderProved(replica) ? `not checked yet (${last})` : last;
    return `    ${replica.verified ? '+' : '-'} ${name}: ${held}, ${check}, ${safeText(replica.state)}`;
  });
}

function jobLines(status: StatusResponse): string[] {
  return status.jobs.map((job) => `  running   ${safeText(job.job)}: ${safeText(progressText(job))}`);
}

function torLines(status: StatusResponse): string[] {
  const { tor } = status;
  if (tor === undefined) return [];
  const percent = tor.phase === 'bootstrapping' ? ` ${tor.percent} %` : '';
  const words = tor.words === '' ? '' : ` - ${safeText(tor.words)}`;
  return [`  tor       ${safeText(tor.phase)}${percent}${tor.published ? ', address is live' : ''}${words}`];
}

function oddities(status: StatusResponse): string[] {
  const lines: string[] = [];
  if (status.mode === NodeMode.NODE_MODE_BLOCKED)
    lines.push('  mode      blocked: looking for holders of this identity');
  if (status.mode === NodeMode.NODE_MODE_RECOVERING) lines.push('  mode      recovering: nothing is published');
  if (status.missingFiles > 0n)
    lines.push(`  missing   ${formatCount(status.missingFiles, 'file', 'files')} not recovered`);
  if (status.forks.length > 0)
    lines.push(`  forks     ${status.forks.length} contradicting revision(s) of this identity`);
  if (status.timeDivisor > 1) lines.push(`  TEST      all periods are divided by ${status.timeDivisor}`);
  return lines;
}
