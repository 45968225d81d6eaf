// A queue between one producer and one consumer in the same thread. It has no bound of its own: who fills it holds
// credits (see worker-thread.ts).

export class AsyncQueue<T> {
  readonly #items: T[] = [];
  #end: { readonly error: Error | undefined } | undefined;
  #wake: (() => void) | undefined;

  push(item: T): void {
    this.#items.push(item);
    this.#notify();
  }

  /** What is queued still comes out; after that the consumer sees the end, or the error. */
  end(error?: Error): void {
    this.#end ??= { error };
    this.#notify();
  }

  /** The next item, or undefined at the end. */
  async next(): Promise<{ readonly item: T } | undefined> {
    for (;;) {
      if (this.#items.length > 0) return { item: this.#items.shift() as T };
      if (this.#end?.error !== undefined) throw this.#end.error;
      if (this.#end !== undefined) return undefined;
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }

  #notify(): void {
    this.#wake?.();
    this.#wake = undefined;
  }
}
