import type { Client } from '@runnel/client';

/** The server makes a new estimate as often. */
const askEveryMs = 5_000;
/** A run that has just begun has measured nothing, and a short one is over before it matters. */
const firstAfterMs = 2_000;

/** Asks how long a run will take, beside everything else: a follower never waits for it. */
export class Remaining {
  readonly #client: Pick<Client, 'getEstimate'>;
  readonly #id: string;
  #endsAt: number | null = null;
  #askedAt: number;
  #isAsking = false;

  constructor(client: Pick<Client, 'getEstimate'>, id: string, nowMs: number) {
    this.#client = client;
    this.#id = id;
    this.#askedAt = nowMs - askEveryMs + firstAfterMs;
  }

  /** Null: it can't be told so far. */
  remainingMs(nowMs: number): number | null {
    if (!this.#isAsking && nowMs - this.#askedAt >= askEveryMs) void this.#ask(nowMs);
    return this.#endsAt === null ? null : Math.max(0, this.#endsAt - nowMs);
  }

  async #ask(nowMs: number): Promise<void> {
    this.#isAsking = true;
    this.#askedAt = nowMs;
    try {
      const { remainingMs } = await this.#client.getEstimate(this.#id);
      this.#endsAt = remainingMs === null ? null : nowMs + remainingMs;
    } catch {
      // An older server, or one that is away: the follower says so itself.
      this.#endsAt = null;
    } finally {
      this.#isAsking = false;
    }
  }
}
