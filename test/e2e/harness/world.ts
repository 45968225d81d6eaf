// A private Tor network, the package as npm installs it, and the nodes that a run makes on them.
// Invariant: close() leaves no process and no file of the run, and fails when a daemon or tor outlived its node, or when a
// data directory or log of the run gives away what it must not (canaries.ts).

import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { installPackage } from '../../tidy/pack.ts';
import { startPrivateNetwork } from '../../demo/private-network.ts';
import type { PrivateNetwork } from '../../demo/private-network.ts';
import { allGone, processesOf, signal } from './processes.ts';
import { searchNodes } from './canaries.ts';
import type { Canaries, Hit } from './canaries.ts';
import { TestNode } from './node.ts';
import type { NodeSetting } from './node.ts';

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
  readonly #planted: Canaries[] = [];

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
      return new World(root, programs, networkConfig(network, options.timeDivisor), network);
    } catch (error) {
      rmSync(root, { recursive: true, force: true });
      throw error;
    }
  }

  /** config.toml of a node whose periods are divided by another number than those of the rest. */
  configFor(timeDivisor: number): string {
    assert.ok(this.#network !== undefined, 'periods are divided on test networks only');
    return networkConfig(this.#network, timeDivisor);
  }

  /** A node with an empty data directory; nothing is started. `config` is its config.toml. */
  node(name: string, config = this.#config, special: Partial<NodeSetting> = {}): TestNode {
    const logDir = process.env['BB_TEST_LOGS'];
    const node = new TestNode({ name, root: this.root, bb: this.bb, config, logDir, ...special });
    this.#nodes.push(node);
    return node;
  }

  /** A new folder of the run. */
  folder(name: string): string {
    const path = join(this.root, name);
    mkdirSync(path, { recursive: true });
    return path;
  }

  /** Searched for at the end, besides the words and ids of all nodes. */
  plant(canaries: Canaries): void {
    this.#planted.push(canaries);
  }

  async close(): Promise<void> {
    assert.deepEqual(await this.end(), []);
  }

  /** Ends everything; returns the canaries that were found. */
  async end(): Promise<Hit[]> {
    const failures: unknown[] = [];
    for (const node of this.#nodes) await node.stop().catch((error: unknown) => failures.push(error));
    this.#keepNetworkLogs();
    await this.#network?.stop();
    const gone = await allGone(this.root);
    const left = processesOf(this.root);
    for (const { pid } of left) signal(pid, 'SIGKILL');
    const hits = searchNodes(this.#nodes, this.#planted);
    rmSync(this.root, { recursive: true, force: true });
    assert.ok(gone, `left running: ${left.map(({ command }) => command).join('; ')}`);
    assert.deepEqual(failures, []);
    return hits;
  }

  #keepNetworkLogs(): void {
    const logDir = process.env['BB_TEST_LOGS'];
    if (logDir !== undefined && this.#network !== undefined) {
      writeFileSync(join(logDir, 'authorities.log'), this.#network.logs(), { flag: 'a' });
    }
  }
}

function networkConfig({ torrcFile }: PrivateNetwork, timeDivisor: number): string {
  return `[tor]\nconfig = "${torrcFile}"\n[test]\ntime_divisor = ${timeDivisor}\n[log]\nlevel = "debug"\n`;
}
