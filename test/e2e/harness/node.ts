// One BarterBackup node of a test: a data directory, the daemon that the installed bb starts for it, and its events.

import assert from 'node:assert/strict';
import { appendFileSync, chownSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { EventLog } from './event-log.ts';
import type { EventTest } from './event-log.ts';
import { allGone, daemonOf, processesOf, signal } from './processes.ts';
import { envelopeOf, runBb } from './run-bb.ts';
import type { BbOptions, BbRun, Envelope } from './run-bb.ts';

export type NodeSetting = {
  /** The name of its folder and of its log. */
  readonly name: string;
  /** What `bb init` and friends call it; `name` by default. */
  readonly calledName?: string;
  /** bb and bbd run as this user and group; as the one of the test by default. */
  readonly uid?: number;
  /** Holds the data directory; short, because sockets lie below it. */
  readonly root: string;
  readonly bb: string;
  /** config.toml of the node. */
  readonly config: string;
  /** Gets the logs of the node when it ends; undefined = they are dropped. */
  readonly logDir: string | undefined;
};

export class TestNode {
  /** What friends call it. */
  readonly name: string;
  readonly dataDir: string;
  /** Everything that bb has said on its standard error. */
  readonly errors: string[] = [];
  /** The logs of its daemons that have ended. */
  readonly logs: string[] = [];
  words = '';
  onionId = '';
  readonly #setting: NodeSetting;
  #events: EventLog | undefined;

  constructor(setting: NodeSetting) {
    this.name = setting.calledName ?? setting.name;
    this.#setting = setting;
    this.dataDir = join(setting.root, setting.name);
    this.prepare();
  }

  /** An empty data directory but for its configuration. */
  prepare(config = this.#setting.config): void {
    mkdirSync(this.dataDir, { recursive: true, mode: 0o700 });
    this.configure(config);
    if (this.#setting.uid !== undefined) chownSync(this.dataDir, this.#setting.uid, this.#setting.uid);
  }

  /** Of the daemon that starts next. */
  configure(config: string): void {
    writeFileSync(join(this.dataDir, 'config.toml'), config);
  }

  async run(args: readonly string[], options: BbOptions = {}): Promise<BbRun> {
    const { bb, uid } = this.#setting;
    const run = await runBb(
      bb,
      ['--data-dir', this.dataDir, ...args],
      uid === undefined ? options : { ...options, uid },
    );
    this.errors.push(run.stderr);
    return run;
  }

  /** The envelope of a command that must end with `exit`. */
  async bb(args: readonly string[], options: BbOptions & { readonly exit?: number } = {}): Promise<Envelope> {
    const run = await this.run([...args, '--json'], options);
    const what = `bb ${args.join(' ')} of ${this.name}`;
    const tail = `${run.stdout.toString('utf8').slice(-600)}\n${run.stderr}`;
    assert.equal(run.exit, options.exit ?? 0, `${what}: exit ${run.exit}\n${tail}`);
    const envelope = envelopeOf(run);
    assert.equal(envelope.ok, run.exit === 0, `${what}: envelope and exit code disagree\n${tail}`);
    return envelope;
  }

  async data(args: readonly string[], options: BbOptions = {}): Promise<Record<string, unknown>> {
    return (await this.bb(args, options)).data;
  }

  /** New words; the daemon is started by bb. */
  async init(extra: readonly string[] = []): Promise<void> {
    const data = await this.data(['init', '--generate', '--name', this.name, ...extra]);
    this.words = (data['words'] as string[]).join(' ');
    this.onionId = String(data['onion_id']);
  }

  /** An empty directory becomes this node again, from the words alone. */
  async initAgain(flag: '--recover' | '--new'): Promise<void> {
    await this.data(['init', flag, '--password-stdin', '--name', this.name], { stdin: this.words });
  }

  async unlock(): Promise<void> {
    await this.data(['unlock', '--password-stdin'], { stdin: this.words });
  }

  get socket(): string {
    return join(this.dataDir, 'sock/bb.sock');
  }

  /** Begins to keep events; the daemon must run. */
  async follow(): Promise<void> {
    this.#events?.close();
    const { logDir } = this.#setting;
    const file = logDir === undefined ? undefined : join(logDir, `${this.#setting.name}-events.log`);
    this.#events = await EventLog.attach(this.socket, file);
  }

  get events(): EventLog {
    assert.ok(this.#events !== undefined, `${this.name} is not followed`);
    return this.#events;
  }

  waitEvent(name: string, test?: EventTest, withinMs?: number) {
    return this.events.wait(name, test, withinMs);
  }

  get pid(): number {
    const found = daemonOf(this.dataDir);
    assert.ok(found !== undefined, `no daemon runs for ${this.name}`);
    return found.pid;
  }

  /** The disk stays, the process is gone from one instruction to the next, and its tor goes with it. */
  async kill9(): Promise<void> {
    signal(this.pid, 'SIGKILL');
    await this.#ended();
  }

  async stop(): Promise<void> {
    const found = daemonOf(this.dataDir);
    if (found !== undefined) signal(found.pid, 'SIGTERM');
    await this.#ended();
  }

  async #ended(): Promise<void> {
    this.#events?.close();
    this.#events = undefined;
    const gone = await allGone(this.dataDir);
    this.keepLogs();
    const left = processesOf(this.dataDir).map(({ command }) => command);
    for (const { pid } of processesOf(this.dataDir)) signal(pid, 'SIGKILL');
    assert.ok(gone, `still running after the daemon of ${this.name} ended: ${left.join('; ')}`);
  }

  /** The dead disk. */
  wipe(): void {
    rmSync(this.dataDir, { recursive: true, force: true });
  }

  /** Takes the daemon's log over, and appends it to the logs of the run. */
  keepLogs(): void {
    const { logDir, name } = this.#setting;
    const log = join(this.dataDir, 'bbd.log');
    if (!existsSync(log)) return;
    const text = readFileSync(log, 'utf8');
    this.logs.push(text);
    writeFileSync(log, '');
    if (logDir === undefined) return;
    mkdirSync(logDir, { recursive: true });
    appendFileSync(join(logDir, `${name}.log`), text);
  }
}
