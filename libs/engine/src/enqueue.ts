import { failpoint } from '@runnel/core';
import type { DeliveryJob, DeliveryQueues } from '@runnel/queue';
import type { Chores, OutboxEntry, RunInfo } from '@runnel/store';

/** A carrier that was moved is told again until its outbox entry is gone; it is not moved again at once. */
const rememberMs = 1_000;

/** Moves outboxes into BullMQ: add first, then clear; in between, twice does no harm. */
export class Enqueuer {
  readonly #queues: DeliveryQueues;
  readonly #chores: Chores;
  readonly #moved = new Map<string, number>();

  constructor(queues: DeliveryQueues, chores: Chores) {
    this.#queues = queues;
    this.#chores = chores;
  }

  /** Moves what was not moved within the last second. */
  async move(info: RunInfo, outbox: readonly OutboxEntry[], now: number): Promise<void> {
    const runId = info.facts.handle.id;
    const fresh = outbox.filter(({ carrier }) => this.#remember(`${runId}.${carrier}`, now));
    if (fresh.length === 0) return;
    try {
      await this.#add(info, fresh);
    } catch (error: unknown) {
      for (const { carrier } of fresh) this.#moved.delete(`${runId}.${carrier}`);
      throw error;
    }
  }

  /** Forgets what was moved long ago. */
  sweep(now: number): void {
    for (const [key, at] of this.#moved) if (now - at > rememberMs) this.#moved.delete(key);
  }

  #remember(key: string, now: number): boolean {
    const at = this.#moved.get(key);
    if (at !== undefined && now - at <= rememberMs) return false;
    this.#moved.set(key, now);
    return true;
  }

  async #add(info: RunInfo, entries: readonly OutboxEntry[]): Promise<void> {
    const { handle } = info.facts;
    const byQueue = new Map<string, DeliveryJob[]>();
    for (const entry of entries) {
      const queue = handle.queues[entry.queue];
      if (queue === undefined) throw new Error(`run ${handle.id} has no queue ${entry.queue}`);
      const jobs = byQueue.get(queue) ?? [];
      byQueue.set(queue, jobs);
      jobs.push({
        runId: handle.id,
        carrier: entry.carrier,
        cutAtS: entry.cutAtS,
        name: await nameOf(info, entry),
        taskCount: entry.taskCount,
        firstTask: entry.firstId,
        priority: (await info.group(entry.group)).priority,
      });
    }
    await failpoint('outbox.before-add');
    await Promise.all([...byQueue].map(([queue, jobs]) => this.#queues.add(queue, jobs)));
    await failpoint('outbox.after-add');
    const carriers = entries.map(({ carrier }) => carrier);
    this.#chores.add(handle.id, (pipeline) => pipeline.zrem(handle.names.outbox, ...carriers));
    await failpoint('outbox.after-clear');
  }
}

/** The task's id where there is one task, else `class ×N`. */
async function nameOf(info: RunInfo, entry: OutboxEntry): Promise<string> {
  if (entry.taskCount === 1) return (await info.taskOf(entry.firstId, entry.group)).id;
  return `${(await info.group(entry.group)).class} ×${entry.taskCount}`;
}
