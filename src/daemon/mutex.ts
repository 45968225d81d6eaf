// One at a time, in order of arrival. The queue is bounded by its callers: a use case waits here
// once and holds nothing else.

export class Mutex {
  #tail: Promise<void> = Promise.resolve();

  /** Runs `work` when all earlier work has ended; its failure is the caller's alone. */
  run<T>(work: () => Promise<T>): Promise<T> {
    const result = this.#tail.then(work);
    this.#tail = result.then(
      () => undefined,
      () => undefined,
    );
    return result;
  }
}
