/** The part of `process` that is listened to. */
export interface SignalHost {
  on(signal: NodeJS.Signals, listener: (signal: NodeJS.Signals) => void): unknown;
  off(signal: NodeJS.Signals, listener: (signal: NodeJS.Signals) => void): unknown;
}

export interface Interrupts extends Disposable {
  /** Aborted when the user asks the command to end; the reason is the signal's name. */
  readonly first: AbortSignal;
  /** Aborted when the user asks again: now at once. */
  readonly second: AbortSignal;
}

/**
 * npm and the launcher pass on a Ctrl-C that the terminal has already given to every process: two that
 * come this close together are one.
 */
const sameWithinMs = 300;
const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/** Turns Ctrl-C and its like into two abort signals; from now on they don't end the process by themselves. */
export function watchInterrupts(
  host: SignalHost = process,
  now: () => number = () => performance.now(),
): Interrupts {
  const first = new AbortController();
  const second = new AbortController();
  let askedAt = 0;
  const onSignal = (signal: NodeJS.Signals): void => {
    if (!first.signal.aborted) {
      askedAt = now();
      first.abort(signal);
    } else if (now() - askedAt >= sameWithinMs) {
      second.abort();
    }
  };
  for (const signal of signals) host.on(signal, onSignal);
  return {
    first: first.signal,
    second: second.signal,
    [Symbol.dispose]: () => {
      for (const signal of signals) host.off(signal, onSignal);
    },
  };
}
