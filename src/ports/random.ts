// Unpredictable bytes. Injected so that the simulator can replay a run.

export interface Random {
  bytes(count: number): Buffer;
  /** Uniform in [0, 1). */
  fraction(): number;
}
