// bb doctor: one line for each thing that a node stands on, and with --fix what was done about it. Exit 4 when something is
// left to do.

import { BbError } from '../../src/core/errors.ts';
import { BarterBackupClientService as Service, FindingState } from '../../src/gen/clirpc/v1/clirpc.ts';
import type { Finding } from '../../src/gen/clirpc/v1/clirpc.ts';
import { flagOption } from '../context.ts';
import type { Context, Options } from '../context.ts';
import { ensureDaemon } from '../ensure-daemon.ts';
import type { Result } from '../output.ts';
import { safeText } from '../safe-text.ts';

type Word = 'ok' | 'warning' | 'damaged' | 'fixed' | 'cannot-fix';

const WORDS: Readonly<Partial<Record<FindingState, Word>>> = {
  [FindingState.FINDING_STATE_OK]: 'ok',
  [FindingState.FINDING_STATE_WARNING]: 'warning',
  [FindingState.FINDING_STATE_DAMAGED]: 'damaged',
  [FindingState.FINDING_STATE_FIXED]: 'fixed',
  [FindingState.FINDING_STATE_CANNOT_FIX]: 'cannot-fix',
};

export async function run(context: Context, _args: readonly string[], options: Options): Promise<Result> {
  await ensureDaemon(context, options);
  const request = { fix: flagOption(options, 'fix'), readData: flagOption(options, 'readData') };
  const findings: Finding[] = [];
  for await (const { finding, progress } of (await context.client()).stream(Service.doctor, request)) {
    if (progress !== undefined) context.out.progress(progress);
    if (finding === undefined) continue;
    findings.push(finding);
    context.out.line({ t: 'finding', data: findingView(finding) });
    context.out.print(findingText(finding, context.out.colors));
  }
  const left = findings.filter((finding) => !isInOrder(finding));
  const data = { findings: findings.map(findingView) };
  if (left.length === 0) return { data };
  const things = left.length === 1 ? 'one thing is' : `${left.length} things are`;
  return {
    data,
    failure: new BbError('FINDINGS', `${things} not in order: ${left.map(({ check }) => check).join(', ')}`),
  };
}

function isInOrder(finding: Finding): boolean {
  const word = wordOf(finding);
  return word === 'ok' || word === 'fixed';
}

/** A state that this version does not know is not in order. */
function wordOf({ state }: Finding): Word {
  return WORDS[state] ?? 'damaged';
}

function findingView(finding: Finding) {
  const { check, message, hint } = finding;
  return { check, state: wordOf(finding), message, hint: hint === '' ? null : hint };
}

function findingText(finding: Finding, colors: Context['out']['colors']): string {
  const word = wordOf(finding);
  const color = isInOrder(finding) ? colors.green : word === 'warning' ? colors.yellow : colors.red;
  const line = `${color(word.padEnd(10))} ${safeText(finding.check).padEnd(12)} ${safeText(finding.message)}`;
  return finding.hint === '' || word === 'ok' ? line : `${line}\n  next: ${safeText(finding.hint)}`;
}
