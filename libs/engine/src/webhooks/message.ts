import { tellsTasks, type Webhook } from '@runnel/core';
import { type FeedEvent, type RedisClient, type RunInfo, readFeedPage } from '@runnel/store';
import { filterOf, type HookFilter } from './match.ts';

/** Ends of tasks that one message tells. */
const tasksPerMessage = 100;
/** What is read for one message before others have their turn. */
const pagesPerMessage = 64;

/** What a webhook is told at once. */
export type HookMessage =
  /** One event of the run, or events of its tasks; `to` is the number of the last. */
  | { readonly kind: 'events'; readonly to: number; readonly events: readonly FeedEvent[] }
  /** Events after `after` up to `to` are not kept any more. */
  | { readonly kind: 'reset'; readonly after: number; readonly to: number };

/** The next message; or none, and up to where there is nothing to tell. */
export type NextMessage = HookMessage | { readonly kind: 'none'; readonly to: number };

export interface MessageRequest {
  readonly webhook: Webhook;
  /** The last event that was told, or is of no interest. */
  readonly after: number;
  /** Later ones are not told now. */
  readonly until: number;
  /** The last event that the run is known to have. */
  readonly last: number;
}

/**
 * Puts the next message together from the feed: an event of the run goes alone, tasks that ended in a row go together.
 * The same request gives the same message as long as the feed is kept.
 */
export async function composeMessage(
  redis: RedisClient,
  info: RunInfo,
  { webhook, after, until, last }: MessageRequest,
): Promise<NextMessage> {
  const gathering = new Gathering(after, until, await filterOf(webhook, info));
  const wantsTasks = tellsTasks(webhook);
  for (let pages = 0; pages < pagesPerMessage && !gathering.isComplete; pages++) {
    const { seen } = gathering;
    if (seen >= until) break;
    const page = await readFeedPage(redis, info.facts.handle, seen, { wantsTasks });
    if (page === null) {
      gathering.takeEnd(last);
      break;
    }
    gathering.take(page);
  }
  return gathering.message();
}

class Gathering {
  isComplete = false;
  /** The last event that was looked at. */
  seen: number;
  readonly #after: number;
  readonly #until: number;
  readonly #isWanted: HookFilter;
  readonly #tasks: FeedEvent[] = [];
  #found: HookMessage | null = null;

  constructor(after: number, until: number, isWanted: HookFilter) {
    this.seen = after;
    this.#after = after;
    this.#until = until;
    this.#isWanted = isWanted;
  }

  take(page: {
    readonly first: number;
    readonly last: number;
    readonly events: readonly FeedEvent[];
  }): void {
    if (page.first !== this.seen + 1) {
      this.#takeGap(page.first - 1);
      return;
    }
    for (const event of page.events) {
      if (event.number > this.#until || this.isComplete) break;
      if (this.#isWanted(event)) this.#add(event);
    }
    this.seen = Math.min(page.last, this.#until);
  }

  /** The feed ends here; what is missing could not be written. */
  takeEnd(last: number): void {
    if (last > this.seen) this.#takeGap(last);
  }

  /** What was found before the gap goes first. */
  #takeGap(last: number): void {
    this.isComplete = true;
    const to = Math.min(last, this.#until);
    if (this.#tasks.length === 0) this.#found = { kind: 'reset', after: this.#after, to };
  }

  #add(event: FeedEvent): void {
    if (event.kind === 'task') {
      this.#tasks.push(event);
      this.isComplete = this.#tasks.length === tasksPerMessage;
      return;
    }
    this.isComplete = true;
    if (this.#tasks.length === 0) {
      this.#found = { kind: 'events', to: event.number, events: [event] };
    }
  }

  message(): NextMessage {
    if (this.#found !== null) return this.#found;
    const last = this.#tasks.at(-1);
    if (last !== undefined) return { kind: 'events', to: last.number, events: this.#tasks };
    return { kind: 'none', to: Math.max(this.seen, this.#after) };
  }
}
