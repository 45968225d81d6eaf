// How many items a sender may still send before the receiver has taken one.

export class Credits {
  #left: number;
  #wake: (() => void) | undefined;

  constructor(initial: number) {
    this.#left = initial;
  }

  give(): void {
    this.#left++;
    this.#wake?.();
    this.#wake = undefined;
  }

  /** Takes one, waiting for it. One waiter at a time. */
  async take(): Promise<void> {
    while (this.#left === 0) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
    this.#left--;
  }

  /** Lets every waiter through: the call has ended. */
  release(): void {
    this.#left = Number.MAX_SAFE_INTEGER;
    this.#wake?.();
    this.#wake = undefined;
  }
}
