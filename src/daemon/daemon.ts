// The daemon as local programs see it: initialised or not, locked or not, and when unlocked the use
// cases of a session. It starts locked; until unlock nothing but local calls is served.

import { BbError } from '../core/errors.ts';
import type { OnionId } from '../core/ids.ts';
import type { Deps } from './deps.ts';
import { EventBus } from './event-bus.ts';
import { createIdentity } from './init.ts';
import { Jobs } from './jobs.ts';
import type { InitArgs, NodeState, StatusView } from './local-api.ts';
import { Mutex } from './mutex.ts';
import { plan } from './plan.ts';
import type { Session } from './session.ts';
import { startSession, stopSession } from './start-session.ts';
import { lockedStatus, sessionStatus } from './status.ts';
import { openKeyring, openSession } from './unlock.ts';

export class Daemon {
  readonly deps: Deps;
  readonly bus: EventBus;
  readonly jobs: Jobs;
  readonly #changes = new Mutex();
  #session: Session | undefined;
  #secretMode: 'phrase' | 'password' | undefined;

  constructor(deps: Deps) {
    this.deps = deps;
    this.bus = new EventBus(deps.clock);
    this.jobs = new Jobs(deps.clock, this.bus);
  }

  /** Reads what is known without a secret. */
  async start(): Promise<void> {
    this.#secretMode = (await this.deps.dataDir.readHeader())?.mode;
    this.deps.tor.onState((state) => {
      this.deps.log.debug('tor', { phase: state.phase, percent: state.percent });
      this.bus.emit('tor-state', { phase: state.phase, percent: String(state.percent), words: state.words });
    });
  }

  get state(): NodeState {
    if (this.#session !== undefined) return 'UNLOCKED';
    return this.#secretMode === undefined ? 'NOT_INITIALISED' : 'LOCKED';
  }

  /** LOCKED or NOT_INITIALISED when there is no session. */
  get session(): Session {
    if (this.#session !== undefined) return this.#session;
    if (this.#secretMode === undefined) throw new BbError('NOT_INITIALISED', 'this node has no identity yet');
    throw new BbError('LOCKED', 'this node is locked');
  }

  init(args: InitArgs): Promise<{ readonly words: readonly string[]; readonly onionId: OnionId }> {
    return this.#changes.run(async () => {
      if (args.newIdentity && this.#session?.node.mode === 'blocked')
        return this.#declareNew(this.#session, args.secret);
      const { keyring, words, initial } = await createIdentity(this.deps, args);
      this.#secretMode = args.mode;
      const session = await openSession(this.deps, keyring, this.bus, this.jobs, initial);
      await this.#begin(session);
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
      const keyring = await openKeyring(this.deps, secret);
      if (this.#session !== undefined) {
        keyring.wipe(); // unlocked already: the secret was right, nothing changes
        return { onionId: this.#session.self };
      }
      const session = await openSession(this.deps, keyring, this.bus, this.jobs, undefined);
      await this.#begin(session);
      return { onionId: session.self };
    });
  }

  lock(): Promise<void> {
    return this.#changes.run(async () => {
      const session = this.#session;
      if (session === undefined) return;
      this.#session = undefined;
      await stopSession(session);
      this.bus.emit('locked', {});
    });
  }

  status(): StatusView {
    return this.#session === undefined
      ? lockedStatus(this.deps, this.jobs, this.state, this.#secretMode)
      : sessionStatus(this.#session, this.#secretMode);
  }

  async #begin(session: Session): Promise<void> {
    try {
      await startSession(session);
    } catch (error) {
      await stopSession(session);
      throw error;
    }
    this.#session = session;
    this.bus.emit('unlocked', {});
  }
}
