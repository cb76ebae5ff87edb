import { Enqueuer, RunNews, Shares, SlotTurns } from '@runnel/engine';
import { DeliveryQueues } from '@runnel/queue';
import { repeat, type Settings } from '@runnel/service';
import { Chores, connectRedis, type RedisClient, type RunInfoCache } from '@runnel/store';

const refreshEveryMs = 1_000;

export interface TurnPartsOptions {
  readonly settings: Settings;
  readonly redis: RedisClient;
  /** The consumers' own: the jobs that a turn adds go before the end of the job that brought them. */
  readonly queueRedis: RedisClient;
  readonly infos: RunInfoCache;
  onError(error: Error): void;
}

/** What a worker needs to take the turns of its slots: shares, chores, and a way into BullMQ. */
export class TurnParts implements AsyncDisposable {
  readonly turns: SlotTurns;
  readonly #queues: DeliveryQueues;
  readonly #chores: Chores;
  readonly #shares: Shares;
  readonly #enqueuer: Enqueuer;
  readonly #sweeping: RedisClient;
  readonly #onError: (error: Error) => void;
  #timer: NodeJS.Timeout | undefined;

  constructor({ settings, redis, queueRedis, infos, onError }: TurnPartsOptions) {
    const { namespace, redisUrl } = settings;
    this.#onError = onError;
    this.#sweeping = connectRedis(redisUrl, onError, { gathersCommands: true });
    this.#queues = new DeliveryQueues({ connection: queueRedis, namespace, onError });
    this.#chores = new Chores(redis, onError);
    this.#shares = new Shares(this.#sweeping, namespace);
    this.#enqueuer = new Enqueuer(this.#queues, this.#chores);
    this.turns = new SlotTurns({
      ...{ redis, namespace, infos, shares: this.#shares, enqueuer: this.#enqueuer },
      news: new RunNews(this.#chores, namespace),
      ...{ now: Date.now, random: Math.random, onError },
    });
  }

  async start(): Promise<void> {
    await this.#refresh();
    this.#timer = repeat(refreshEveryMs, () => this.#refresh(), this.#onError);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    clearInterval(this.#timer);
    await this.turns.drain();
    await this.#chores.flush();
    await this.#queues[Symbol.asyncDispose]();
    this.#sweeping.disconnect();
  }

  async #refresh(): Promise<void> {
    await this.#shares.refresh(Date.now());
    this.#enqueuer.sweep(Date.now());
  }
}
