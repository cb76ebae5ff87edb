interface Waiting<T> {
  readonly since: number;
  take(value: T): void;
}

/** Who waits for one of several equal things, the longest first. */
export class WaitingLine<T> {
  readonly #line = new Set<Waiting<T>>();

  /** Resolves with null where the signal is aborted before. */
  async wait(signal: AbortSignal): Promise<T | null> {
    if (signal.aborted) return null;
    const turn = Promise.withResolvers<T | null>();
    const waiting = { since: performance.now(), take: turn.resolve };
    const giveUp = (): void => {
      // At once, so that nothing is handed to who has gone.
      if (this.#line.delete(waiting)) turn.resolve(null);
    };
    this.#line.add(waiting);
    signal.addEventListener('abort', giveUp, { once: true });
    const taken = await turn.promise;
    signal.removeEventListener('abort', giveUp);
    return taken;
  }

  /** When the first in the line came; null where nobody waits. */
  get since(): number | null {
    const [first] = this.#line;
    return first?.since ?? null;
  }

  /** Hands it to the first in the line; false where nobody waits. */
  serve(value: T): boolean {
    const [first] = this.#line;
    if (first === undefined) return false;
    this.#line.delete(first);
    first.take(value);
    return true;
  }
}
