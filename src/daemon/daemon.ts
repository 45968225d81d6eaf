// The daemon as local programs see it: initialised or not, locked or not, and when unlocked the use
// cases of a session. It starts locked; until unlock nothing but local calls is served.

import type { Keyring } from '../core/crypto/keyring.ts';
import { BbError, isBbError } from '../core/errors.ts';
import type { OnionId } from '../core/ids.ts';
import type { CatalogSource } from '../ports/catalog-repair.ts';
import type { Deps } from './deps.ts';
import { EventBus } from './event-bus.ts';
import { createIdentity } from './init.ts';
import { Jobs } from './jobs.ts';
import type { InitArgs, NodeState, StatusView } from './local-api.ts';
import { Mutex } from './mutex.ts';
import { plan } from './plan.ts';
import type { Session } from './session.ts';
import { startSession, stopSession } from './start-session.ts';
import { noteVerdict } from './protection.ts';
import { lockedStatus, sessionStatus } from './status.ts';
import { weakestFiles } from './weakest-files.ts';
import { openKeyring, openSession } from './unlock.ts';

export type Damage = { readonly of: 'header' | 'catalog'; readonly error: BbError };

export class Daemon {
  readonly deps: Deps;
  readonly bus: EventBus;
  readonly jobs: Jobs;
  readonly #changes = new Mutex();
  #session: Session | undefined;
  #secretMode: 'phrase' | 'password' | undefined;
  /** While header or catalog is damaged the node stays locked. */
  #damage: Damage | undefined;

  constructor(deps: Deps) {
    this.deps = deps;
    this.bus = new EventBus(deps.clock);
    this.jobs = new Jobs(deps.clock, this.bus);
  }

  /** Reads what is known without a secret. A damaged header or catalog does not keep it from starting. */
  async start(): Promise<void> {
    await this.#look();
    this.deps.tor.onState((state) => {
      this.deps.log.debug('tor', { phase: state.phase, percent: state.percent });
      this.bus.emit('tor-state', { phase: state.phase, percent: String(state.percent), words: state.words });
    });
  }

  get state(): NodeState {
    if (this.#session !== undefined) return 'UNLOCKED';
    if (this.#damage !== undefined) return 'LOCKED';
    return this.#secretMode === undefined ? 'NOT_INITIALISED' : 'LOCKED';
  }

  /** LOCKED or NOT_INITIALISED when there is no session. */
  get session(): Session {
    if (this.#session !== undefined) return this.#session;
    this.#requireSound();
    if (this.#secretMode === undefined) throw new BbError('NOT_INITIALISED', 'this node has no identity yet');
    throw new BbError('LOCKED', 'this node is locked');
  }

  init(args: InitArgs): Promise<{ readonly words: readonly string[]; readonly onionId: OnionId }> {
    return this.#changes.run(async () => {
      if (args.newIdentity && this.#session?.node.mode === 'blocked')
        return this.#declareNew(this.#session, args.secret);
      this.#requireSound();
      const { keyring, words, initial } = await createIdentity(this.deps, args);
      this.#secretMode = args.mode;
      const session = await openSession(this.deps, keyring, this.bus, this.jobs, initial);
      await this.#begin(session);
      plan(session, 'backup', 0); // from now on there is something to lose
      return { words, onionId: session.self };
    });
  }

  /** `init --new` said later, on a node that looks for holders already: the look gets an end. */
  async #declareNew(session: Session, secret: Buffer): Promise<{ words: readonly string[]; onionId: OnionId }> {
    (await openKeyring(this.deps, secret)).wipe();
    await session.registry.updateNode(() => ({ ...session.node, newIdentity: true }));
    plan(session, 'recover', 0);
    return { words: [], onionId: session.self };
  }

  unlock(secret: Buffer): Promise<{ readonly onionId: OnionId }> {
    return this.#changes.run(async () => {
      this.#requireSound();
      const keyring = await openKeyring(this.deps, secret);
      if (this.#session !== undefined) {
        keyring.wipe(); // unlocked already: the secret was right, nothing changes
        return { onionId: this.#session.self };
      }
      const session = await this.#open(keyring);
      await this.#begin(session);
      return { onionId: session.self };
    });
  }

  /** Rows that do not open are found here first: what failed is remembered for doctor(). */
  async #open(keyring: Keyring): Promise<Session> {
    try {
      return await openSession(this.deps, keyring, this.bus, this.jobs, undefined);
    } catch (error) {
      if (isBbError(error, 'INTEGRITY')) this.#damage = { of: 'catalog', error };
      throw error;
    }
  }

  lock(): Promise<void> {
    return this.#changes.run(() => this.#stop());
  }

  /** What start(), unlock() or rebuildCatalog() found damaged. */
  get damage(): Damage | undefined {
    return this.#damage;
  }

  /** Locks the node and puts a catalog in the place of the damaged one; the next unlock searches the packs. */
  rebuildCatalog(isCopyBad: boolean): Promise<CatalogSource> {
    return this.#changes.run(async () => {
      await this.#stop();
      const source = await this.deps.catalog.rebuild(isCopyBad);
      await this.#look();
      return source;
    });
  }

  async #look(): Promise<void> {
    this.#damage = undefined;
    const note =
      (of: Damage['of']) =>
      (error: unknown): undefined => {
        if (!isBbError(error, 'INTEGRITY')) throw error;
        this.#damage ??= { of, error };
      };
    const header = await this.deps.dataDir.readHeader().catch(note('header'));
    await this.deps.catalog.open().catch(note('catalog'));
    this.#secretMode = header?.mode;
  }

  #requireSound(): void {
    if (this.#damage !== undefined) throw this.#damage.error;
  }

  async #stop(): Promise<void> {
    const session = this.#session;
    if (session === undefined) return;
    this.#session = undefined;
    this.bus.onEvent = () => undefined;
    await stopSession(session);
    this.bus.forget();
    this.bus.emit('locked', {});
  }

  /** INTEGRITY while the node cannot be unlocked because of damage. */
  async status(): Promise<StatusView> {
    const session = this.#session;
    if (session === undefined) this.#requireSound();
    if (session === undefined) return lockedStatus(this.deps, this.jobs, this.state, this.#secretMode);
    const weakest = await weakestFiles(session);
    return { ...sessionStatus(session, this.#secretMode), weakest };
  }

  async #begin(session: Session): Promise<void> {
    try {
      await startSession(session);
    } catch (error) {
      await stopSession(session);
      throw error;
    }
    this.#session = session;
    this.bus.onEvent = (name) => noteVerdict(session, name);
    this.bus.emit('unlocked', {});
  }
}
