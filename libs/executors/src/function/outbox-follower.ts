import { type HostObserver, tell } from './host-handle.ts';
import type { OutboxReader } from './outbox.ts';
import { decodeRecords, type HostRecord, succeeded } from './protocol.ts';

/**
 * Tells of what a thread has written and posted, in the order in which it happened: a task that a record is about has
 * every task before it behind it, so those without a record of their end have ended without words.
 */
export class OutboxFollower {
  observer: HostObserver | null = null;
  readonly #outbox: OutboxReader;
  /** How many tasks were told of as ended. */
  #told = 0;

  constructor(outbox: OutboxReader) {
    this.#outbox = outbox;
  }

  poll(): void {
    // First: what is written later is looked for the next time, and what belongs before it is in the text by now.
    const ended = this.#outbox.ended();
    this.#tellJoined(this.#outbox.read());
    this.#tellWordless(ended);
  }

  /** What the thread has posted, because it is urgent or the outbox is full. */
  receive(joined: string): void {
    // What stands in the outbox was written before.
    this.poll();
    this.#tellJoined(joined);
  }

  /** Before an idle thread gets more tasks. */
  clear(): void {
    this.#outbox.clear();
    this.#told = 0;
  }

  #tellJoined(joined: string): void {
    if (joined === '') return;
    for (const record of decodeRecords(joined)) this.#tellOne(record);
  }

  #tellOne(record: HostRecord): void {
    const [kind, position] = record;
    if (position !== undefined) {
      this.#tellWordless(position);
      if (kind === 'end' || kind === 'output') this.#told = position + 1;
    }
    if (this.observer !== null) tell(this.observer, record);
  }

  /** All tasks before this position have ended. */
  #tellWordless(end: number): void {
    for (; this.#told < end; this.#told++) {
      this.observer?.end(this.#told, this.#outbox.durationMs(this.#told), succeeded);
    }
  }
}
