// Questions on a terminal. They are asked on stderr, so that stdout stays data, and only where a person can answer.
// The prompt library is loaded by the first question: most commands never ask one.

import { BbError } from '../src/core/errors.ts';

export type Asker = {
  /** False without a terminal and with --no-input or --json: nothing may be asked then. */
  readonly canAsk: boolean;
  /** With -y every confirmation is answered. */
  readonly yes: boolean;
};

const output = process.stderr;

export async function askText(message: string, placeholder = ''): Promise<string> {
  const { text } = await import('@clack/prompts');
  return answered(await text({ message, placeholder, defaultValue: placeholder, output }));
}

export async function askChoice<Value extends string>(
  message: string,
  choices: readonly { readonly value: Value; readonly label: string }[],
): Promise<Value> {
  const { select } = await import('@clack/prompts');
  const options = choices.map(({ value, label }) => ({ value: value as string, label }));
  return answered(await select({ message, options, output })) as Value;
}

/** Returns when the answer is yes; CONFIRMATION_NEEDED where nobody can be asked, INTERRUPTED for no. */
export async function requireConfirmation(asker: Asker, question: string): Promise<void> {
  if (asker.yes) return;
  if (!asker.canAsk) throw new BbError('CONFIRMATION_NEEDED', `this needs a confirmation: ${question}`);
  const { confirm } = await import('@clack/prompts');
  if (!answered(await confirm({ message: question, initialValue: false, output }))) {
    throw new BbError('INTERRUPTED', 'nothing was changed');
  }
}

/** The prompt library answers Ctrl-C with a symbol. */
function answered<Value>(value: Value): Exclude<Value, symbol> {
  if (typeof value === 'symbol') throw new BbError('INTERRUPTED', 'interrupted; nothing was changed');
  return value as Exclude<Value, symbol>;
}
