// Whole daemons in one process, from the real parts: disk, catalog thread, worker threads, gRPC over TLS. Only Tor is a
// loopback that can be cut, and the key derivation is cheap. Tests wait for what a daemon says, never for time.

import { createCipheriv, createHash } from 'node:crypto';
import * as fs from 'node:fs';
import type { Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import type { OnionId } from '../../src/core/ids.ts';
import { CELL_BYTES, PACK_HEADER_BYTES, PACK_SLOT_BYTES } from '../../src/core/limits.ts';
import type { CellPosition } from '../../src/ports/cell-store.ts';
import type { DownloadSection } from '../../src/ports/peer-client.ts';
import type { OnionRoute } from '../../src/net/onion-route.ts';
import { DaemonNode } from './daemon-node.ts';

/** A wait that lasts longer has failed; the message tells what was waited for. */
const PATIENCE_MS = 25_000;

type Stream = { readonly from: string; readonly to: OnionId; readonly socket: Socket };

export class DaemonWorld {
  readonly dir = fs.mkdtempSync(join(tmpdir(), 'bb-daemons-'));
  readonly nodes = new Map<string, DaemonNode>();
  /** Who answers at an onion: the node that published it last. */
  readonly published = new Map<OnionId, DaemonNode>();
  /** Socket of a node -> the one that leads to it, such as a slow link. */
  readonly detours = new Map<string, string>();
  /** How long a test waits in this world. */
  patienceMs = PATIENCE_MS;
  readonly #cuts = new Set<string>();
  readonly #streams = new Set<Stream>();
  readonly #waiters = new Set<() => void>();

  /** Nodes of these names with new identities, not yet known to each other. */
  static async ready(context: TestContext, ...names: string[]): Promise<DaemonNode[]> {
    const world = await DaemonWorld.open(context, ...names);
    const nodes = names.map((name) => world.node(name));
    await Promise.all(nodes.map((node) => node.init('generated')));
    return nodes;
  }

  /** Nodes of these names, made but not initialised. All is closed and removed after the test. */
  static async open(context: TestContext, ...names: string[]): Promise<DaemonWorld> {
    const world = new DaemonWorld();
    context.after(() => world.close());
    await Promise.all(names.map((name) => world.add(name)));
    return world;
  }

  async add(name: string): Promise<DaemonNode> {
    const node = new DaemonNode(this, name);
    this.nodes.set(name, node);
    await node.start();
    return node;
  }

  node(name: string): DaemonNode {
    const node = this.nodes.get(name);
    if (node === undefined) throw new Error(`no node ${name}`);
    return node;
  }

  async close(): Promise<void> {
    await Promise.all([...this.nodes.values()].map((node) => node.kill()));
    fs.rmSync(this.dir, { recursive: true, force: true });
    const crashes = [...this.nodes.values()].flatMap((node) => node.crashes);
    if (crashes.length > 0) throw new AggregateError(crashes, 'a thread of a daemon died');
  }

  /** Resolves as soon as `holds` is true; looked at again after every event of every daemon, and when one has written records. */
  async until(what: string, holds: () => boolean | Promise<boolean>): Promise<void> {
    let wake: () => void = () => undefined;
    let isLate = false;
    const waiter = () => wake();
    const timer = setTimeout(() => {
      isLate = true;
      wake();
    }, this.patienceMs);
    this.#waiters.add(waiter);
    try {
      for (;;) {
        const woken = new Promise<void>((resolve) => (wake = resolve));
        if (await holds()) return;
        if (isLate) throw new Error(`waited in vain: ${what}\n${this.#tails()}`);
        await woken;
      }
    } finally {
      clearTimeout(timer);
      this.#waiters.delete(waiter);
    }
  }

  /** Something happened; waiting tests look again. */
  notify(): void {
    for (const waiter of this.#waiters) waiter();
  }

  /** No new stream between two nodes, and the open ones break. */
  cut(a: DaemonNode, b: DaemonNode): void {
    this.#cuts.add(linkName(a.name, b.name));
    this.breakStreams(({ from, to }) => (from === a.name && to === b.id) || (from === b.name && to === a.id));
  }

  mend(a: DaemonNode, b: DaemonNode): void {
    this.#cuts.delete(linkName(a.name, b.name));
  }

  breakStreams(isMeant: (stream: Stream) => boolean): void {
    for (const stream of this.#streams) if (isMeant(stream)) stream.socket.destroy();
  }

  routeOf(node: DaemonNode): OnionRoute {
    return {
      target: (peer) => {
        const to = this.published.get(peer);
        if (to === undefined || this.#cuts.has(linkName(node.name, to.name))) return '/nonexistent';
        return this.detours.get(to.socketPath) ?? to.socketPath;
      },
      open: (socket, to) => {
        const stream = { from: node.name, to, socket };
        this.#streams.add(stream);
        socket.once('close', () => this.#streams.delete(stream));
        return Promise.resolve();
      },
    };
  }

  #tails(): string {
    return [...this.nodes.values()]
      .map((node) => {
        const events = node.events.slice(-40).map(({ name, attributes }) => `${name} ${JSON.stringify(attributes)}`);
        return [`--- ${node.name}`, ...events, ...node.log.slice(-15)].join('\n');
      })
      .join('\n');
  }
}

function linkName(a: string, b: string): string {
  return [a, b].toSorted().join('-');
}

/** Two nodes know each other; `from` proposes a contract of equal sizes and it is agreed. */
export async function agree(from: DaemonNode, to: DaemonNode, bytes = 64 * 1024 ** 2): Promise<void> {
  await to.api.connectPeer(from.id, from.name, false);
  await from.api.connectPeer(to.id, to.name, true);
  const states = await propose(from, to, { giveBytes: bytes, getBytes: bytes });
  if (states.at(-1) !== 'COMPLETED') throw new Error(`not agreed: ${states.join(' ')}`);
}

/** The states that a proposal went through. */
export async function propose(
  from: DaemonNode,
  to: DaemonNode,
  { giveBytes = 64 * 1024 ** 2, getBytes = 64 * 1024 ** 2, holdSeconds = 0, amend = false } = {},
): Promise<string[]> {
  const states: string[] = [];
  const args = { peer: to.id, giveBytes, getBytes, durationSeconds: 0, holdSeconds, amend };
  for await (const { state, reason } of from.api.propose(args, new AbortController().signal)) {
    states.push(reason === '' ? state : `${state} ${reason}`);
  }
  return states;
}

/** Outcome of `bb contracts check`. */
export async function check(owner: DaemonNode, storer: DaemonNode): Promise<string> {
  let outcome = '';
  for await (const update of owner.api.check(storer.id, new AbortController().signal)) outcome = update.outcome;
  return outcome;
}

/** The holds of all older revisions are over, as when the time has passed. */
export async function endHolds({ session }: DaemonNode): Promise<void> {
  await session.registry.changeHeld(() => ({
    puts: session.registry
      .held()
      .filter(({ value }) => value.role === 'kept')
      .map(({ id, value }) => ({ id, value: { ...value, holdEndSeconds: 0 } })),
    deletes: [],
  }));
}

/** Bytes that do not compress and depend on the seed only. */
export function noiseOf(seed: string, length: number): Buffer {
  const key = createHash('sha256').update(seed).digest();
  return createCipheriv('aes-256-ctr', key, Buffer.alloc(16)).update(Buffer.alloc(length));
}

/** Flips a byte in the middle of every slot of all packs of a store, or back again. */
export function damage(node: DaemonNode, store: 'own' | 'peers'): void {
  const folder = join(node.dir, store);
  for (const name of fs.readdirSync(folder)) {
    const path = join(folder, name);
    const bytes = fs.readFileSync(path);
    for (let at = CELL_BYTES / 2; at < bytes.length; at += CELL_BYTES) bytes.writeUInt8(bytes.readUInt8(at) ^ 1, at);
    fs.writeFileSync(path, bytes);
  }
}

/** Flips a byte in the middle of one slot of a store. */
export function damageCell(node: DaemonNode, store: 'own' | 'peers', { pack, slot }: CellPosition): void {
  const path = join(node.dir, store, `pack-${pack}`);
  const at = PACK_HEADER_BYTES + slot * PACK_SLOT_BYTES + CELL_BYTES / 2;
  const file = fs.openSync(path, 'r+');
  const byte = Buffer.alloc(1);
  fs.readSync(file, byte, 0, 1, at);
  byte.writeUInt8(byte.readUInt8(0) ^ 1, 0);
  fs.writeSync(file, byte, 0, 1, at);
  fs.closeSync(file);
}

/** All packs of a store are gone. The node is down. */
export function losePacks(node: DaemonNode, store: 'own' | 'peers'): void {
  const folder = join(node.dir, store);
  for (const name of fs.readdirSync(folder)) fs.rmSync(join(folder, name));
}

/** What `owner` downloads of `liar` has a wrong byte in each section, after so many right ones. */
export function lieTo(owner: DaemonNode, liar: DaemonNode, rightSections = 0): void {
  let sections = 0;
  async function* flipped(stream: AsyncIterable<DownloadSection>): AsyncGenerator<DownloadSection> {
    for await (const section of stream) {
      sections += 1;
      if (section.kind === 'raw' && sections > rightSections) {
        section.bytes.writeUInt8(section.bytes.readUInt8(7) ^ 1, 7);
      }
      yield section;
    }
  }
  owner.changes.set('download', (stream: AsyncIterable<DownloadSection>, [peer]) =>
    peer === liar.id ? flipped(stream) : stream,
  );
}
