// Many calls of a process wait for one signal of it; a listener of the platform for each of them costs more than the call.

const fans = new WeakMap<AbortSignal, Set<() => void>>();

/** Runs `told` when the signal is given, unless the returned function was called before. */
export function onAbort(signal: AbortSignal | undefined, told: () => void): () => void {
  if (signal === undefined) return () => undefined;
  const fan = fans.get(signal) ?? fanOf(signal);
  fan.add(told);
  return () => fan.delete(told);
}

function fanOf(signal: AbortSignal): Set<() => void> {
  const fan = new Set<() => void>();
  fans.set(signal, fan);
  const tellAll = (): void => {
    for (const told of [...fan]) told();
    fan.clear();
  };
  signal.addEventListener('abort', tellAll, { once: true });
  return fan;
}
