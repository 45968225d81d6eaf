// Reads the command line, runs one command, writes its result and gives its exit code. Start-up is felt at every call: only
// the command that runs, and what it needs, is loaded.

import { Command as Program, CommanderError } from 'commander';
import { BbError, isBbError } from '../src/core/errors.ts';
import type { NodePaths } from '../src/core/paths.ts';
import { COMMANDS } from './commands/index.ts';
import type { Command, Context, Options, Settings } from './context.ts';
import type { DaemonClient } from './client.ts';
import { cliError } from './errors.ts';
import { exitCodeHelp } from './exit-codes.ts';
import { Output } from './output.ts';
import { cliPaths, isUnused } from './paths.ts';
import { parseDuration } from './quantity.ts';

const TIMER_MAX_MS = 2 ** 31 - 1;

/** Runs bb; resolves with its exit code. */
export async function runProgram(argv: readonly string[]): Promise<number> {
  const interrupt = new AbortController();
  onInterrupt(interrupt);
  const asksJson = argv.includes('--json');
  let exitCode = 0;
  const program = buildProgram(async (command, args, options) => {
    exitCode = await runCommand(command, args, options, interrupt.signal);
  });
  const asksVersion = ['--version', '-V'].some((flag) => argv.includes(flag)) && !argv.includes('--');
  try {
    await program.parseAsync(asksVersion ? ['version', ...(asksJson ? ['--json'] : [])] : [...argv], { from: 'user' });
  } catch (error) {
    if (error instanceof CommanderError && error.exitCode === 0) return 0;
    return outputOf({ json: asksJson }).fail(usageError(error), false);
  }
  return exitCode;
}

function commandNamed(program: Program, words: readonly string[]): Program {
  let found = program;
  for (const word of words) {
    const child = found.commands.find((command) => command.name() === word);
    if (child === undefined) throw unknownCommand(words.join(' '));
    found = child;
  }
  return found;
}

/** The whole command line as commander knows it, from the flat list. */
function buildProgram(action: (command: Command, args: string[], options: Options) => Promise<void>): Program {
  const program = new Program('bb')
    .description('You store my encrypted data, I store yours, over Tor, with no server.')
    .option('--json', 'print one JSON envelope, or NDJSON for long jobs')
    .option('-q, --quiet', 'no prose and no progress')
    .option('-v, --verbose', 'more prose')
    .option('--no-color', 'no colours')
    .option('--no-input', 'never ask; fail with the flag to use')
    .option('-y, --yes', 'answer confirmations with yes')
    .option('--timeout <duration>', 'give up after this time, such as 90s or 2m; jobs go on in the daemon')
    .option('--socket <path>', 'socket of the daemon')
    .option('--data-dir <dir>', 'data directory of the node (BB_DATA_DIR)')
    .addHelpText('after', exitCodeHelp)
    .helpCommand(false)
    .exitOverride()
    .configureOutput({ writeErr: () => undefined });
  for (const command of COMMANDS) addCommand(program, command, action);
  // Commander's own command knows one word only, and says nothing about one that is no command.
  const help = program.command('help').description('show the help of a command').arguments('[command...]');
  help.action((words: string[]) => commandNamed(program, words).help());
  return program;
}

function addCommand(
  program: Program,
  command: Command,
  action: (command: Command, args: string[], options: Options) => Promise<void>,
): void {
  const words = command.words === '' ? [] : command.words.split(' ');
  const last = words.pop();
  const parent = words.reduce((above, word) => childOf(above, word), program);
  const target = last === undefined ? program : childOf(parent, last);
  if (command.args !== undefined) target.arguments(command.args);
  target.allowExcessArguments(command.words === '');
  if (command.words !== '') target.description(command.summary);
  for (const [flags, description] of command.options ?? []) target.option(flags, description);
  target.action(async () => {
    // Bare bb takes no arguments: what follows was meant as a command.
    if (command.words === '' && target.args.length > 0) throw unknownCommand(target.args[0] as string);
    await action(command, target.args, target.optsWithGlobals());
  });
}

/** The subcommand `word`, made when it does not exist yet. */
function childOf(parent: Program, word: string): Program {
  const known = parent.commands.find((child) => child.name() === word);
  if (known !== undefined) return known;
  const members = COMMANDS.filter(({ words }) => words.startsWith(`${word} `)).map(({ words }) => words.split(' ')[1]);
  const group = parent.command(word).description(members.join(', ')).allowExcessArguments(true);
  return group.action(() => {
    const [member] = group.args;
    const hint = `Use bb ${word} with one of: ${members.join(', ')}.`;
    if (member === undefined) throw new BbError('USAGE', `bb ${word} needs one more word`, { hint });
    throw unknownCommand(`${word} ${member}`, hint);
  });
}

function unknownCommand(words: string, hint = 'bb help lists the commands.'): BbError {
  return new BbError('USAGE', `bb ${words} is no command`, { hint });
}

async function runCommand(command: Command, args: string[], options: Options, signal: AbortSignal): Promise<number> {
  const streams = typeof command.streams === 'function' ? command.streams(options) : command.streams === true;
  const open: { client?: Promise<DaemonClient> } = {};
  let out = outputOf({ json: options['json'] === true });
  try {
    const settings = settingsOf(options);
    out = outputOf(settings);
    const paths = cliPaths(options['dataDir'] as string | undefined, options['socket'] as string | undefined);
    const context: Context = {
      paths,
      settings,
      out,
      signal,
      client: () => (open.client ??= openClient(paths, settings.timeoutMs, signal)),
    };
    const { run } = await command.load();
    return out.finish(await run(context, args, options), streams);
  } catch (error) {
    const known = signal.aborted ? new BbError('INTERRUPTED', 'interrupted', { cause: error }) : cliError(error);
    if (known.code === 'INTERNAL') out.detail(String((known.cause as Error | undefined)?.stack ?? known.stack));
    return out.fail(known, streams);
  } finally {
    const client = await open.client?.catch(() => undefined);
    client?.close();
  }
}

async function openClient(
  { socket, dataDir }: NodePaths,
  timeoutMs: number | undefined,
  signal: AbortSignal,
): Promise<DaemonClient> {
  const { DaemonClient } = await import('./client.ts');
  return DaemonClient.open({ socket, timeoutMs, signal }).catch(async (error: unknown) => {
    if (!isBbError(error, 'DAEMON_NOT_RUNNING') || !(await isUnused(dataDir))) throw error;
    throw new BbError('NOT_INITIALISED', 'this data directory has no identity yet', { cause: error });
  });
}

function settingsOf(options: Options): Settings {
  const json = options['json'] === true;
  const timeout = options['timeout'] as string | undefined;
  const timeoutMs = timeout === undefined ? undefined : parseDuration(timeout);
  if (timeoutMs !== undefined && timeoutMs > TIMER_MAX_MS) throw new BbError('USAGE', '--timeout is at most 24 days');
  const terminal = process.stdin.isTTY === true && process.stderr.isTTY === true;
  return {
    json,
    quiet: options['quiet'] === true,
    verbose: options['verbose'] === true,
    color: options['color'] !== false && !process.env['NO_COLOR'] && !json && process.stderr.isTTY === true,
    canAsk: terminal && options['input'] !== false && !json,
    yes: options['yes'] === true,
    timeoutMs,
  };
}

function outputOf(settings: Partial<Settings>): Output {
  const { json = false, quiet = false, verbose = false, color = false } = settings;
  return new Output({ json, quiet, verbose, color }, process.stdout, process.stderr);
}

function usageError(error: unknown): BbError {
  if (!(error instanceof CommanderError)) return cliError(error);
  return new BbError('USAGE', error.message.replace(/^error: /, '').replace(/\n.*/s, ''), { cause: error });
}

/** The first Ctrl-C ends the call and cleans up; the second leaves at once. A reader of stdout that left counts as one. */
function onInterrupt(interrupt: AbortController): void {
  const EXIT_INTERRUPTED = 130;
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.on(signal, () => {
      if (interrupt.signal.aborted) process.exit(EXIT_INTERRUPTED);
      interrupt.abort();
      // A read of a pipe that never ends would keep this process.
      if (process.stdin.isTTY !== true) process.stdin.destroy();
    });
  }
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code === 'EPIPE') process.exit(EXIT_INTERRUPTED);
    throw error;
  });
}
