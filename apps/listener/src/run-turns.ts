import { failpoint } from '@runnel/core';
import {
  cancelStep,
  type Enqueuer,
  prepareSettlement,
  type RunNews,
  type Shares,
} from '@runnel/engine';
import {
  goOnWithEdit,
  haltPage,
  type OutcomeEntry,
  outcomeBytes,
  type RedisClient,
  type RunInfo,
  type RunInfoCache,
  retryPage,
  type Settlement,
  type TurnAnswer,
  takeTurn,
} from '@runnel/store';

/** Outcomes that one call settles at most: a few ms of Redis. */
const outcomesPerCall = 256;

export interface TurnContext {
  readonly redis: RedisClient;
  readonly infos: RunInfoCache;
  readonly shares: Shares;
  readonly enqueuer: Enqueuer;
  readonly news: RunNews;
  now(): number;
  random(): number;
  onAccepted(count: number, duplicates: number): void;
  onError(error: Error): void;
}

/** Moves of outboxes that may be under way at once; beyond that a turn waits for one of them. */
const mostMoves = 64;

/** What is left of a run's work. */
type Unfinished = 'backlog' | 'halt' | 'retry' | 'cancel' | 'edit';

/** What a turn of a run that has not ended answers. */
const goingOnStates: ReadonlySet<string> = new Set([
  ...['running', 'halting', 'retrying', 'changing', 'editing'],
]);

/** Gives runs their turns: settle, visit children, cut, move the outbox, page a cancel or a retry. */
export class RunTurns {
  readonly #context: TurnContext;
  /** Runs with a backlog, or that are being halted or retried: they get turns until it is done. */
  readonly #unfinished = new Map<string, Unfinished>();
  readonly #moves = new Set<Promise<void>>();

  constructor(context: TurnContext) {
    this.#context = context;
  }

  hasUnfinished(): boolean {
    return this.#unfinished.size > 0;
  }

  /**
   * Settles entries of one run, in calls of bounded size. Entries of a run that was deleted settle
   * as nothing. Throws where a call failed: the entries stay pending.
   */
  async settle(runId: string, entries: readonly OutcomeEntry[]): Promise<void> {
    const real = entries.filter((entry) => entry.carrier > 0);
    const info = await this.#readFor(runId, real);
    if (info === null) return;
    const { redis, now, random } = this.#context;
    const context = { redis, now: now(), random };
    const settlements = await Promise.all(
      real.map((entry) => prepareSettlement(entry, info, context)),
    );
    const parts = splitByOutcomes(settlements);
    for (const part of parts.length === 0 ? [[]] : parts)
      await this.#turn(info, part, { wantsOutbox: false });
  }

  /**
   * A turn without outcomes, as the owner of the run's shard gives in passing. It moves the whole
   * outbox: what it holds was left by a process that died or could not reach BullMQ.
   */
  async visit(runId: string): Promise<void> {
    const state = await this.#step(runId, { wantsOutbox: true });
    if (state === 'editing') await this.#edit(runId);
  }

  /** One bounded step for each run that has work left. */
  async goOn(): Promise<void> {
    await Promise.all(
      [...this.#unfinished].map(([runId, what]) =>
        what === 'halt' ? this.#halt(runId) : this.#goOn(runId, what),
      ),
    );
  }

  /** The state that was answered; null where the run is gone. */
  async #step(
    runId: string,
    options: { readonly wantsOutbox: boolean },
  ): Promise<TurnAnswer['state'] | null> {
    const info = await this.#context.infos.readIfThere(runId);
    if (info !== null) return await this.#turn(info, [], options);
    this.#unfinished.delete(runId);
    return null;
  }

  /** What a page of a retry makes ready is cut at once, and what a cancel held up at its end. */
  async #goOn(runId: string, what: Unfinished): Promise<void> {
    if (what === 'retry' && !(await this.#retry(runId))) return;
    if (what === 'edit' && (await this.#edit(runId))) return;
    if (what === 'cancel' && !(await this.#cancel(runId))) return;
    await this.#step(runId, { wantsOutbox: false });
  }

  /** One page of bringing tasks back; true where a turn may find something to do. */
  async #retry(runId: string): Promise<boolean> {
    const info = await this.#context.infos.readIfThere(runId);
    if (info === null) return true;
    const { redis, now } = this.#context;
    await failpoint('retry.before-page');
    const page = await retryPage(redis, info.facts.handle, now());
    await failpoint('retry.after-page');
    return page === null || page.phase === 0 || page.phase === 3;
  }

  /** What is left of an edit whose editor is gone; true while pages are left. */
  async #edit(runId: string): Promise<boolean> {
    const info = await this.#context.infos.readIfThere(runId);
    if (info === null) return false;
    const { redis, now } = this.#context;
    await failpoint('edit.before-thaw');
    const step = await goOnWithEdit(redis, info.facts.handle, { now: now() });
    await failpoint('edit.after-thaw');
    if (step === 'paging') this.#unfinished.set(runId, 'edit');
    else if (step === 'frozen') this.#unfinished.delete(runId);
    return step === 'paging' || step === 'frozen';
  }

  /** One page of cancelling tasks; true where a turn may find something to do. */
  async #cancel(runId: string): Promise<boolean> {
    const info = await this.#context.infos.readIfThere(runId);
    if (info === null) return true;
    const page = await cancelStep(this.#context.redis, info.facts.handle, this.#context.now());
    return page === null || page.phase === 0;
  }

  async #halt(runId: string): Promise<void> {
    const info = await this.#context.infos.readIfThere(runId);
    const { redis, now } = this.#context;
    await failpoint('halt.before-page');
    const page = info === null ? null : await haltPage(redis, info.facts.handle, 'page', now());
    await failpoint('halt.after-page');
    if (page?.isPaging === true) return;
    this.#unfinished.delete(runId);
    if (info !== null && page !== null) this.#announce(info, page.state);
  }

  async #turn(
    info: RunInfo,
    settlements: readonly Settlement[],
    options: { readonly wantsOutbox: boolean },
  ): Promise<TurnAnswer['state'] | null> {
    const { redis, shares, now, onAccepted, news } = this.#context;
    const { handle } = info.facts;
    await failpoint(settlements.length > 0 ? 'settle.before' : 'turn.before');
    const answer = await takeTurn(redis, handle, {
      settlements,
      shares: shares.of(handle.queues, info.facts.priority),
      now: now(),
      ...options,
    });
    await failpoint(settlements.length > 0 ? 'settle.after' : 'turn.after');
    if (answer === null) {
      this.#context.infos.forget(handle.id);
      this.#unfinished.delete(handle.id);
      return null;
    }
    onAccepted(answer.accepted, answer.duplicates);
    if (answer.accepted > 0) news.tell(handle.id, 'settled');
    await this.#follow(await this.#context.infos.readAt(handle.id, answer.shape), answer);
    return answer.state;
  }

  async #follow(info: RunInfo, answer: TurnAnswer): Promise<void> {
    const { enqueuer, now } = this.#context;
    const { id } = info.facts.handle;
    if (answer.state === 'halting') this.#unfinished.set(id, 'halt');
    else if (answer.state === 'retrying') this.#unfinished.set(id, 'retry');
    else if (answer.state === 'changing') this.#unfinished.set(id, 'cancel');
    else if (answer.unfinished > 0) this.#unfinished.set(id, 'backlog');
    else this.#unfinished.delete(id);
    if (answer.outbox.length > 0) await this.#move(enqueuer.move(info, answer.outbox, now()));
    this.#announce(info, answer.state);
  }

  /** Goes on beside the next turns: what fails stays in the outbox and is moved by a later turn. */
  async #move(moving: Promise<void>): Promise<void> {
    const done = moving.catch(this.#context.onError).finally(() => this.#moves.delete(done));
    this.#moves.add(done);
    if (this.#moves.size > mostMoves) await Promise.race(this.#moves);
  }

  /** Tells followers of the run that it ended; they read the run to see how. */
  #announce(info: RunInfo, state: string): void {
    if (goingOnStates.has(state)) return;
    const { id } = info.facts.handle;
    this.#context.infos.forget(id);
    this.#context.news.tell(id, 'ended');
  }

  /** Read again where the run has grown since: an entry may be of a group that is not known. */
  async #readFor(runId: string, entries: readonly OutcomeEntry[]): Promise<RunInfo | null> {
    const info = await this.#context.infos.readIfThere(runId);
    if (info === null || entries.every(({ group }) => group < info.facts.groupCount)) return info;
    this.#context.infos.forget(runId);
    return await this.#context.infos.readIfThere(runId);
  }
}

/** Groups of at most `outcomesPerCall` outcomes; one entry is never split. */
function splitByOutcomes(settlements: readonly Settlement[]): readonly (readonly Settlement[])[] {
  const parts: Settlement[][] = [];
  let room = 0;
  for (const settlement of settlements) {
    const count = settlement.outcomes.length / outcomeBytes;
    if (count > room) {
      parts.push([]);
      room = outcomesPerCall;
    }
    parts.at(-1)?.push(settlement);
    room -= count;
  }
  return parts;
}
