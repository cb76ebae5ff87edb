import { AttemptAbort, type TaskCancels } from '@runnel/core';

/** Places of a delivery whose tasks were cancelled one by one, with a signal for each that asks for one. */
export class CancelledPlaces implements Disposable {
  readonly #all: AbortSignal;
  readonly #cancelled = new Set<number>();
  readonly #aborts = new Map<number, AbortController>();

  /** @param all ends every task. */
  constructor(all: AbortSignal) {
    this.#all = all;
  }

  /** A signal that outlives the delivery keeps no more of it. */
  [Symbol.dispose](): void {
    this.#all.removeEventListener('abort', this.#passOn);
  }

  has(place: number): boolean {
    return this.#cancelled.has(place);
  }

  cancel(places: readonly number[]): void {
    for (const place of places) {
      this.#cancelled.add(place);
      this.#aborts.get(place)?.abort(new AttemptAbort('cancel'));
    }
  }

  /** For a part of the delivery, by place in the part. */
  of(part: readonly { readonly place: number }[]): TaskCancels {
    const placeAt = (index: number): number => part[index]?.place ?? -1;
    return {
      isCancelled: (index) => this.#cancelled.has(placeAt(index)),
      signalOf: (index) => this.#signalOf(placeAt(index)),
    };
  }

  readonly #passOn = (): void => {
    for (const abort of this.#aborts.values()) abort.abort(this.#all.reason);
  };

  #signalOf(place: number): AbortSignal {
    const known = this.#aborts.get(place);
    if (known !== undefined) return known.signal;
    const abort = new AbortController();
    if (this.#aborts.size === 0) this.#all.addEventListener('abort', this.#passOn);
    this.#aborts.set(place, abort);
    if (this.#all.aborted) abort.abort(this.#all.reason);
    else if (this.#cancelled.has(place)) abort.abort(new AttemptAbort('cancel'));
    return abort.signal;
  }
}
