// The methods of a worker as both sides know them: the worker exports its table, the main thread imports its type.

/** What a running call can do besides returning. */
export type CallContext = {
  readonly signal: AbortSignal;
  /** Sends an item to the caller; waits while CELLS_IN_FLIGHT items are not taken yet. */
  emit(item: unknown): Promise<void>;
  /** What the caller streams in, at most CELLS_IN_FLIGHT items ahead. */
  readonly input: AsyncIterable<unknown>;
};

export type Calls = { readonly [method: string]: (context: CallContext, ...args: never[]) => Promise<unknown> };

export type MethodOf<C extends Calls> = keyof C & string;
export type ArgsOf<C extends Calls, M extends MethodOf<C>> =
  Parameters<C[M]> extends [CallContext, ...infer Args] ? Args : [];
export type ResultOf<C extends Calls, M extends MethodOf<C>> = Awaited<ReturnType<C[M]>>;
