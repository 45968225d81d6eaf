// The picture of docs/contracts.md, made by asking the state machine itself: every state is given every event, and what
// comes out is an arrow. `make gen` writes it; a test requires that the page has it.

import { readFileSync } from 'node:fs';
import { ledgerAt } from '../../src/core/contract/ledger.ts';
import { newContract, stepContract } from '../../src/core/contract/machine.ts';
import type { ContractEvent } from '../../src/core/contract/machine.ts';
import { CONTRACT_STATES } from '../../src/core/contract/state.ts';
import type { ContractState } from '../../src/core/contract/state.ts';
import { PLAIN_TERMS } from '../unit/plain-terms.ts';

const DAY = 86_400;
const NOW = 1000 * DAY;
const START = '<!-- diagram: made by make gen -->\n';
const END = '<!-- end of the diagram -->\n';

type Probe = {
  readonly label: string;
  readonly event: ContractEvent;
  /** How long the contract is in its state, and what it owes. */
  readonly sinceSeconds: number;
  readonly owedSeconds: number;
  readonly only?: ContractState;
};

const tick = (worried: boolean, durationOver = false): ContractEvent => ({
  kind: 'tick',
  reasons: worried ? ['UNREACHABLE'] : [],
  durationOver,
  ownerRecovering: false,
  undiallable: false,
});
const plain = (label: string, event: ContractEvent): Probe => ({ label, event, sinceSeconds: 1, owedSeconds: 9 * DAY });

const PROBES: readonly Probe[] = [
  plain('a new proposal', { kind: 'proposed' }),
  plain('both signed', { kind: 'agreed' }),
  plain('rejected', { kind: 'rejected' }),
  { ...plain('no answer for 14 d', tick(false)), sinceSeconds: 14 * DAY, only: 'PROPOSED' },
  { ...plain('a reason holds', tick(true)), only: 'ACTIVE' },
  { ...plain('no reason holds', tick(false)), only: 'DEGRADED' },
  { ...plain('reasons for 14 d (strangers 72 h)', tick(true)), sinceSeconds: 14 * DAY, only: 'DEGRADED' },
  plain('default: wrong twice, copy lost', { kind: 'defaulted' }),
  { ...plain('remaining seconds used up', tick(true)), owedSeconds: 0, only: 'GRACE' },
  plain('cured', { kind: 'cured' }),
  plain('the space was needed', { kind: 'evicted' }),
  plain('notice, or the term is over', { kind: 'ended', noticeSeconds: 30 * DAY }),
  {
    ...plain('notice and remaining seconds over', tick(false)),
    sinceSeconds: 60 * DAY,
    owedSeconds: 0,
    only: 'ENDING',
  },
  plain('both gave notice', { kind: 'ended-by-both' }),
];

/** The Mermaid source of the diagram. */
export function contractDiagram(): string {
  const arrows = CONTRACT_STATES.flatMap((from) =>
    PROBES.filter(({ only }) => only === undefined || only === from).flatMap((probe) => {
      const to = outcome(from, probe);
      return to === from ? [] : [`  ${from} --> ${to}: ${probe.label}`];
    }),
  );
  return ['```mermaid', 'stateDiagram-v2', '  [*] --> PROPOSED: a proposal', ...arrows, '```', ''].join('\n');
}

function outcome(from: ContractState, { event, sinceSeconds, owedSeconds }: Probe): ContractState {
  const { life } = newContract(NOW - sinceSeconds);
  const before = { state: from, ledger: ledgerAt(owedSeconds, 0, NOW), life: { ...life, noticeEndSeconds: NOW - DAY } };
  return stepContract(before, event, { nowSeconds: NOW, terms: PLAIN_TERMS, added: true }).next.state;
}

/** The page with the diagram of today's machine. */
export function withDiagram(page: string): string {
  const [before, rest] = page.split(START);
  const [, after] = (rest ?? '').split(END);
  if (before === undefined || after === undefined) throw new Error('docs/contracts.md has lost its marks');
  return `${before}${START}\n${contractDiagram()}\n${END}${after}`;
}

if (import.meta.main) {
  process.stdout.write(withDiagram(readFileSync(new URL('../../docs/contracts.md', import.meta.url), 'utf8')));
}
