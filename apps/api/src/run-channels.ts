import { type RedisClient, runChannel } from '@runnel/store';

type Listener = (message: string) => void;

/** Hands on what is published about runs; one connection, however many follow. */
export class RunChannels {
  readonly #subscriber: RedisClient;
  readonly #namespace: string;
  readonly #onError: (error: Error) => void;
  readonly #listeners = new Map<string, Set<Listener>>();

  constructor(options: {
    readonly subscriber: RedisClient;
    readonly namespace: string;
    onError(error: Error): void;
  }) {
    this.#subscriber = options.subscriber;
    this.#namespace = options.namespace;
    this.#onError = options.onError;
    this.#subscriber.on('message', (channel: string, message: string) => {
      for (const listener of this.#listeners.get(channel) ?? []) listener(message);
    });
  }

  /** Number of listeners, over all runs. */
  get size(): number {
    let size = 0;
    for (const listeners of this.#listeners.values()) size += listeners.size;
    return size;
  }

  /** Messages are hints that may be lost: whoever listens also looks from time to time. */
  listen(runId: string, listener: Listener): Disposable {
    const channel = runChannel(this.#namespace, runId);
    const known = this.#listeners.get(channel);
    if (known === undefined) {
      this.#listeners.set(channel, new Set([listener]));
      this.#subscriber.subscribe(channel).catch(this.#onError);
    } else known.add(listener);
    return { [Symbol.dispose]: () => this.#remove(channel, listener) };
  }

  #remove(channel: string, listener: Listener): void {
    const listeners = this.#listeners.get(channel);
    listeners?.delete(listener);
    if (listeners === undefined || listeners.size > 0) return;
    this.#listeners.delete(channel);
    this.#subscriber.unsubscribe(channel).catch(this.#onError);
  }
}
