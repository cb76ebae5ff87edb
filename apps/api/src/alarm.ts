/** Waits for a time, a ring or the end of everything; a ring while nobody waits is kept. */
export class Alarm {
  readonly #signal: AbortSignal;
  #hasRung = false;
  #wake: () => void = () => undefined;

  constructor(signal: AbortSignal) {
    this.#signal = signal;
    signal.addEventListener('abort', () => this.#wake(), { once: true });
  }

  ring(): void {
    this.#hasRung = true;
    this.#wake();
  }

  async wait(ms: number): Promise<void> {
    if (!this.#hasRung && !this.#signal.aborted) {
      const { promise, resolve } = Promise.withResolvers<void>();
      this.#wake = resolve;
      const timer = globalThis.setTimeout(resolve, ms);
      await promise;
      clearTimeout(timer);
    }
    this.#hasRung = false;
  }
}
