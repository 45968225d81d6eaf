// The life of a contract a second time, small and from the prose of docs/protocol.md alone: one number for the remaining
// seconds that is moved along at every event, plain ifs, nothing of src. The oracle of contract-machine.test.ts.

const HOUR = 3600;
const DAY = 24 * HOUR;

export type ModelTick = { worried: boolean; over: boolean; recovering: boolean; undiallable: boolean };
export type ModelEvent =
  | { kind: 'proposed' | 'agreed' | 'rejected' | 'defaulted' | 'cured' | 'evicted' | 'ended-by-both' }
  | { kind: 'ended'; notice: number }
  | ({ kind: 'tick' } & ModelTick);
export type ModelTerms = { initial: number; permille: number; cap: number };

export class ContractModel {
  state = 'PROPOSED';
  remaining = 0;
  /** Bytes were let go, and a new storer was asked for, by the last event. */
  released = false;
  repair = false;
  readonly #terms: ModelTerms;
  readonly #added: boolean;
  #now: number;
  #entered: number;
  #active = 0;
  #floored = Number.NEGATIVE_INFINITY;
  #pausedAt = Number.NEGATIVE_INFINITY;
  #isPaused = false;
  #noticeEnd = 0;

  constructor(now: number, terms: ModelTerms, added: boolean) {
    this.#now = now;
    this.#entered = now;
    this.#terms = terms;
    this.#added = added;
  }

  step(event: ModelEvent, now: number): void {
    this.#pass(now);
    this.released = false;
    this.repair = false;
    if (event.kind === 'tick') return this.#tick(event);
    const living = this.state === 'ACTIVE' || this.state === 'DEGRADED' || this.state === 'GRACE';
    if (event.kind === 'proposed' && this.state === 'RELEASED') this.#enter('PROPOSED');
    if (event.kind === 'agreed' && this.state === 'PROPOSED') {
      this.#enter('ACTIVE');
      this.remaining = this.#terms.initial;
    }
    if (event.kind === 'rejected' && this.state === 'PROPOSED') this.#release();
    if (event.kind === 'defaulted' && (this.state === 'ACTIVE' || this.state === 'DEGRADED')) this.#default();
    if (event.kind === 'cured' && this.state === 'GRACE') this.#enter('ACTIVE');
    else if (event.kind === 'cured' && this.state === 'EXPIRED') {
      this.#enter('ACTIVE');
      this.remaining = 7 * DAY;
    }
    if (event.kind === 'evicted' && this.state === 'EXPIRED') this.#release();
    if (event.kind === 'ended' && living) this.#end(event.notice);
    if (event.kind === 'ended-by-both' && (living || this.state === 'EXPIRED' || this.state === 'ENDING'))
      this.#release();
  }

  #tick(tick: ModelTick): void {
    const inState = this.#now - this.#entered;
    if (this.state === 'PROPOSED' && inState >= 14 * DAY) return this.#release();
    if (tick.over && (this.state === 'ACTIVE' || this.state === 'DEGRADED' || this.state === 'GRACE'))
      return this.#end(0);
    if (this.state === 'ACTIVE' && tick.worried) return this.#enter('DEGRADED');
    if (this.state === 'DEGRADED') {
      if (!tick.worried) return this.#enter('ACTIVE');
      const patience = this.#added || tick.undiallable ? 14 * DAY : 72 * HOUR;
      if (inState >= patience) this.#default();
      return;
    }
    if (this.state === 'GRACE' && this.remaining === 0) return this.#enter('EXPIRED');
    if (this.state === 'GRACE' || this.state === 'EXPIRED') {
      if (tick.recovering && this.#now - this.#pausedAt >= 180 * DAY) this.#pausedAt = this.#now;
      this.#isPaused = tick.recovering && this.#now - this.#pausedAt < 14 * DAY;
    }
    if (this.state === 'ENDING' && this.#now >= this.#noticeEnd && this.remaining === 0) this.#release();
  }

  /** Moves the remaining seconds along to `now`. */
  #pass(now: number): void {
    const elapsed = Math.max(0, now - this.#now);
    this.#now = now;
    if (this.state === 'ACTIVE') {
      const earned = (elapsed * this.#terms.permille) / 1000;
      this.remaining = Math.max(this.remaining, Math.min(this.#terms.cap, this.remaining + earned));
    }
    if (this.state === 'ENDING' || (this.state === 'GRACE' && !this.#isPaused)) {
      this.remaining = Math.max(0, this.remaining - elapsed);
    }
  }

  #enter(state: string): void {
    if (this.state === 'ACTIVE') this.#active += this.#now - this.#entered;
    this.state = state;
    this.#entered = this.#now;
    this.#isPaused = false;
  }

  #default(): void {
    this.#enter('GRACE');
    this.repair = true;
    const earned = this.#added || this.#active >= 60 * DAY;
    if (!earned || this.#now - this.#floored < 180 * DAY) return;
    this.remaining = Math.max(this.remaining, 30 * DAY);
    this.#floored = this.#now;
  }

  #end(notice: number): void {
    this.#enter('ENDING');
    this.#noticeEnd = this.#now + notice;
  }

  #release(): void {
    this.#enter('RELEASED');
    this.remaining = 0;
    this.released = true;
  }
}
