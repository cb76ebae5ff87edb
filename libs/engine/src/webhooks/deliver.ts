import { hostOf, NotFoundError } from '@runnel/core';
import {
  delayHooks,
  type HookLane,
  type HookStanding,
  putHooksAside,
  type RunInfo,
  type RunInfoCache,
  readDueHooks,
  readHookStanding,
} from '@runnel/store';
import { type LaneContext, stepLane } from './lane.ts';
import { HostSlots, type SlotLimits } from './slots.ts';

/** Enough to keep many receivers busy; each message is in memory meanwhile. */
const usualLimits: SlotLimits = { total: 64, perHost: 8 };
/** Runs of one shard that are looked at in one round: a few ms of the process for all. */
const runsPerRound = 16;
/** The feed of a run that goes on is looked into so often. */
const pollMs = 1_000;
/** Who waits for a slot gets it when one is free; this is for those who were forgotten there. */
const slotWaitMs = 10_000;
/** What failed by a fault of ours, or of Redis, is tried again so much later. */
const faultMs = 30_000;
/** More are not remembered: they are tried again sooner. */
const mostAiling = 1_000;
/** A lane gives its slot to others after this, and comes again with the next round. */
const turnMs = 5_000;

export interface HookDelivererOptions extends Omit<LaneContext, 'stopping'> {
  readonly infos: RunInfoCache;
  readonly limits?: SlotLimits;
  /** Shards that this process owns; that another one owns one, too, for a moment, makes a message come twice. */
  owned(): readonly number[];
  onError(error: unknown): void;
}

/**
 * Delivers webhooks of the owned shards. Each round takes the runs that are due and starts what can be sent; nothing
 * waits for a receiver but the lane that sends to it.
 */
export class HookDeliverer implements AsyncDisposable {
  readonly #options: HookDelivererOptions;
  readonly #slots: HostSlots;
  readonly #stop = new AbortController();
  /** Lanes under way, by run and name. */
  readonly #lanes = new Map<string, Promise<void>>();
  /** Lanes that failed by a fault of ours, and until when they rest. */
  readonly #ailing = new Map<string, number>();

  constructor(options: HookDelivererOptions) {
    this.#options = options;
    this.#slots = new HostSlots(options.limits ?? usualLimits);
  }

  get underWay(): number {
    return this.#slots.taken;
  }

  /** One round; returns when everything is started, not when it is sent. */
  async round(): Promise<void> {
    const { events, namespace, owned, now } = this.#options;
    const request = { now: now(), count: runsPerRound };
    const due = await Promise.all(
      owned().map((shard) => readDueHooks(events.redis, namespace, shard, request)),
    );
    await Promise.all(due.flat().map((runId) => this.#look(runId)));
  }

  /** Resolves when nothing is under way. */
  async settled(): Promise<void> {
    while (this.#lanes.size > 0) await Promise.all(this.#lanes.values());
  }

  /** Breaks off what is under way: it is sent again by the next owner. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort();
    await this.settled();
    this.#options.poster.close();
  }

  /** One run that can't be looked at must not hold up others, nor be tried all the time. */
  async #look(runId: string): Promise<void> {
    const { events, namespace, now, onError } = this.#options;
    try {
      await this.#lookAt(runId);
    } catch (error: unknown) {
      onError(error);
      await delayHooks(events.redis, namespace, runId, now() + faultMs).catch(onError);
    }
  }

  async #lookAt(runId: string): Promise<void> {
    const { events, namespace } = this.#options;
    const standing = await readHookStanding(events.redis, namespace, runId);
    if (standing === null) {
      await putHooksAside(events.redis, namespace, { runId, seen: ['', '', '', ''] }, null);
      return;
    }
    const nexts = standing.lanes.map((lane) => this.#start(standing, lane));
    // The feed of a run that goes on may get longer; one that is told all needs no more looks.
    if (!standing.hasEnded && nexts.includes(null)) nexts.push(this.#options.now() + pollMs);
    const times = nexts.filter((next) => next !== null);
    const nextAt = times.length === 0 ? null : Math.min(...times);
    await putHooksAside(events.redis, namespace, standing, nextAt);
  }

  /** Starts a lane that has something to send; when to look at it again, null where all is told. */
  #start(standing: HookStanding, lane: HookLane): number | null {
    const { now } = this.#options;
    const { state } = lane;
    const key = `${standing.runId}/${lane.name}`;
    const soon = now() + pollMs;
    if (this.#lanes.has(key)) return soon;
    const ailsUntil = this.#ailing.get(key) ?? 0;
    if (ailsUntil > now()) return ailsUntil;
    this.#ailing.delete(key);
    if (state.plan !== null && state.plan.dueAt > now()) return state.plan.dueAt;
    const isTold = state.closed || (state.plan === null && state.after >= standing.last);
    if (isTold) return null;
    // The next owner sends it.
    if (this.#stop.signal.aborted) return soon;
    const host = hostOf(lane.webhook.url);
    if (!this.#slots.take(host, standing.runId)) return now() + slotWaitMs;
    const work = this.#run(standing, lane).finally(() => {
      this.#lanes.delete(key);
      void this.#serve(host, this.#slots.give(host));
    });
    this.#lanes.set(key, work);
    return soon;
  }

  /** Looks at runs in line as long as there is a slot: one that is called may have nothing to send any more. */
  async #serve(host: string, first: string | null): Promise<void> {
    for (let next = first; next !== null; next = this.#slots.next(host)) {
      if (this.#stop.signal.aborted) return;
      await this.#look(next);
    }
  }

  /** Never rejects. */
  async #run(standing: HookStanding, first: HookLane): Promise<void> {
    const { now, onError } = this.#options;
    const context = { ...this.#options, stopping: this.#stop.signal };
    const endsAt = now() + turnMs;
    try {
      const info = await this.#readInfo(standing);
      let lane: HookLane | null = info === null ? null : first;
      while (info !== null && lane !== null && now() < endsAt && !this.#stop.signal.aborted) {
        lane = await stepLane({ context, standing, info, lane });
      }
    } catch (error: unknown) {
      // It stays as it is and comes again later.
      onError(error);
      if (this.#ailing.size >= mostAiling) this.#ailing.clear();
      this.#ailing.set(`${standing.runId}/${first.name}`, now() + faultMs);
    }
  }

  /** Null where the run is gone. */
  async #readInfo({ runId, createdAt, shape }: HookStanding): Promise<RunInfo | null> {
    const { infos } = this.#options;
    try {
      const info = await infos.readAt(runId, shape);
      if (info.facts.createdAt === createdAt) return info;
      infos.forget(runId);
      return await infos.readAt(runId, shape);
    } catch (error: unknown) {
      if (error instanceof NotFoundError) return null;
      throw error;
    }
  }
}
