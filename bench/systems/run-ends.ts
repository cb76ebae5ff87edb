import { setTimeout as sleep } from 'node:timers/promises';
import type { Client } from '@runnel/client';
import { isFinalRunState } from '@runnel/core';
import { connectRedis, type RedisClient, runChannel } from '@runnel/store';

const namespace = 'runnel';

/** Messages may be lost, so the API is asked as well: so rarely that it does not disturb. */
const askEveryMs = 10_000;

/** When runs ended, as told on their channels: asking the API again and again would take time from what is measured. */
export class RunEnds implements Disposable {
  readonly #subscriber: RedisClient;
  readonly #client: Client;
  readonly #endedAt = new Map<string, number>();
  readonly #waiting = new Map<string, (at: number) => void>();

  private constructor(subscriber: RedisClient, client: Client) {
    this.#subscriber = subscriber;
    this.#client = client;
  }

  static async open(redisUrl: string, client: Client): Promise<RunEnds> {
    const subscriber = connectRedis(redisUrl, () => undefined);
    const ends = new RunEnds(subscriber, client);
    const prefix = runChannel(namespace, '').length;
    subscriber.on('pmessage', (_pattern: string, channel: string, message: string) => {
      if (message === 'ended') ends.#end(channel.slice(prefix));
    });
    await subscriber.psubscribe(runChannel(namespace, '*'));
    return ends;
  }

  /**
   * Resolves with `performance.now()` of the run's end.
   *
   * @throws Error that says how far the run came, where that takes longer than `withinMs`.
   */
  async wait(id: string, withinMs: number): Promise<number> {
    const deadline = performance.now() + withinMs;
    const { promise, resolve } = Promise.withResolvers<number>();
    this.#waiting.set(id, resolve);
    const known = this.#endedAt.get(id);
    if (known !== undefined) return known;
    for (;;) {
      const leftMs = Math.max(0, deadline - performance.now());
      const stop = new AbortController();
      const waited = sleep(Math.min(askEveryMs, leftMs), null, { signal: stop.signal });
      const at = await Promise.race([promise, waited]);
      stop.abort();
      waited.catch(() => undefined);
      if (at !== null) return at;
      const run = await this.#client.getRun(id);
      if (isFinalRunState(run.state)) this.#end(id);
      else if (performance.now() >= deadline) {
        const { state, counts } = run;
        throw new Error(
          `run ${id} did not end within ${withinMs / 1000} s: it is ${state}, ${JSON.stringify(counts)}`,
        );
      }
    }
  }

  [Symbol.dispose](): void {
    this.#subscriber.disconnect();
  }

  #end(id: string): void {
    if (this.#endedAt.has(id)) return;
    const at = performance.now();
    this.#endedAt.set(id, at);
    this.#waiting.get(id)?.(at);
  }
}
