/**
 * How often the main thread looks at what busy threads have written, and at the time. So no result waits longer, and
 * no timeout comes later than this; a look costs less than a microsecond.
 */
const tickMs = 5;

/** One timer for all that are busy: one of its own for each of many short batches would cost more than the batch. */
export class Ticker {
  readonly #looks = new Set<() => void>();
  #timer: NodeJS.Timeout | null = null;

  add(look: () => void): void {
    this.#looks.add(look);
    this.#timer ??= setInterval(() => this.#tick(), tickMs);
  }

  delete(look: () => void): void {
    this.#looks.delete(look);
  }

  /** Ends with the first tick that nobody is interested in, so the timer outlasts the gaps between batches. */
  #tick(): void {
    if (this.#looks.size === 0 && this.#timer !== null) {
      clearInterval(this.#timer);
      this.#timer = null;
    }
    for (const look of this.#looks) look();
  }
}
