// A private Tor network, the package as npm installs it, and the nodes that a run makes on them.
// Invariant: close() leaves no process and no file of the run, and fails when a daemon or tor outlived its node.

import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { installPackage } from '../../tidy/pack.ts';
import { startPrivateNetwork } from '../../demo/private-network.ts';
import type { PrivateNetwork } from '../../demo/private-network.ts';
import { allGone, processesOf, signal } from './processes.ts';
import { TestNode } from './node.ts';

export type WorldOptions = {
  /** All periods of the protocol are divided by this. */
  readonly timeDivisor: number;
  /** False: no Tor network; nodes start without tor. */
  readonly hasTor?: boolean;
};

export class World {
  readonly root: string;
  readonly bb: string;
  readonly bbd: string;
  readonly #network: PrivateNetwork | undefined;
  readonly #config: string;
  readonly #nodes: TestNode[] = [];

  private constructor(root: string, programs: { bb: string; bbd: string }, config: string, network?: PrivateNetwork) {
    this.root = root;
    this.bb = programs.bb;
    this.bbd = programs.bbd;
    this.#config = config;
    this.#network = network;
  }

  static async create(options: WorldOptions): Promise<World> {
    const programs = installPackage();
    const root = mkdtempSync('/tmp/bbt-');
    if (options.hasTor === false) {
      return new World(root, programs, `[tor]\nbinary = "${root}/no-tor-here"\n[log]\nlevel = "debug"\n`);
    }
    try {
      const network = await startPrivateNetwork({ dir: root });
      const tor = `[tor]\nconfig = "${network.torrcFile}"\n`;
      const rest = `[test]\ntime_divisor = ${options.timeDivisor}\n[log]\nlevel = "debug"\n`;
      return new World(root, programs, tor + rest, network);
    } catch (error) {
      rmSync(root, { recursive: true, force: true });
      throw error;
    }
  }

  /** A node with an empty data directory; nothing is started. `extra` is added to its config.toml. */
  node(name: string, config = this.#config): TestNode {
    const logDir = process.env['BB_TEST_LOGS'];
    const node = new TestNode({ name, root: this.root, bb: this.bb, config, logDir });
    this.#nodes.push(node);
    return node;
  }

  /** A new folder of the run. */
  folder(name: string): string {
    const path = join(this.root, name);
    mkdirSync(path, { recursive: true });
    return path;
  }

  async close(): Promise<void> {
    const failures: unknown[] = [];
    for (const node of this.#nodes) await node.stop().catch((error: unknown) => failures.push(error));
    this.#keepNetworkLogs();
    await this.#network?.stop();
    const gone = await allGone(this.root);
    const left = processesOf(this.root);
    for (const { pid } of left) signal(pid, 'SIGKILL');
    rmSync(this.root, { recursive: true, force: true });
    assert.ok(gone, `left running: ${left.map(({ command }) => command).join('; ')}`);
    assert.deepEqual(failures, []);
  }

  #keepNetworkLogs(): void {
    const logDir = process.env['BB_TEST_LOGS'];
    if (logDir !== undefined && this.#network !== undefined) {
      writeFileSync(join(logDir, 'authorities.log'), this.#network.logs(), { flag: 'a' });
    }
  }
}
