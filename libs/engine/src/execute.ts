import { failpoint, NotFoundError } from '@runnel/core';
import { type ClaimAnswer, claim, nudge, type RunInfo } from '@runnel/store';
import { Execution } from './execution.ts';
import { DetailsRenderer } from './render-details.ts';
import { nextToken } from './tokens.ts';
import type { DeliveryEnd, DeliveryStart, WorkerContext } from './worker-context.ts';

/** Carries out deliveries: claim, render, execute, report. */
export class DeliveryExecutor {
  readonly #context: WorkerContext;
  readonly #renderer: DetailsRenderer;

  constructor(context: WorkerContext) {
    this.#context = context;
    this.#renderer = new DetailsRenderer(context.executors);
  }

  /**
   * Claims a delivery and carries out its open tasks. Resolves after the last outcome was settled
   * or is in the shard's stream. A worker that dies in between leaves open bits behind: BullMQ starts the
   * job again elsewhere, and the next claim gets what is still open under a new token.
   */
  async execute(start: DeliveryStart): Promise<DeliveryEnd> {
    const info = await this.#readInfo(start.runId);
    if (info === null) return { kind: 'refused', why: 'the run was deleted' };
    const claimed = await this.#claim(info, start);
    if (claimed.kind === 'refused') {
      const { redis, namespace } = this.#context;
      const needsTurn = ['cancelled', 'split', 'poison', 'parked'].includes(claimed.refusal);
      if (needsTurn) await nudge(redis, namespace, start.runId);
      return { kind: 'refused', why: claimed.refusal };
    }
    const { delivery, hasOutputs, shape } = claimed;
    if (claimed.needsTurn) await nudge(this.#context.redis, this.#context.namespace, start.runId);
    const current = await this.#context.infos.readAt(start.runId, shape);
    const group = await current.group(delivery.group);
    const facts = { info: current, group, start, delivery, hasOutputs };
    return await new Execution(this.#context, this.#renderer, facts).run();
  }

  /** What was reserved for this worker needs no claim, where its job starts for the first time. */
  async #claim(info: RunInfo, start: DeliveryStart): Promise<ClaimAnswer> {
    const { redis, turns, maxDeaths } = this.#context;
    const { runId, carrier, attemptsStarted } = start;
    const reserved = turns.takeReserved(runId, carrier);
    if (reserved !== undefined && attemptsStarted === 1 && !start.mustClaim) {
      return { kind: 'claimed', needsTurn: false, ...reserved };
    }
    await failpoint('claim.before');
    const answer = await claim(redis, info.facts.handle, {
      carrier,
      attemptsStarted,
      token: nextToken(),
      maxDeaths,
      poisonRecord: poisonRecord(this.#context),
      now: this.#context.now(),
    });
    await failpoint('claim.after');
    return answer;
  }

  async #readInfo(runId: string): Promise<RunInfo | null> {
    try {
      return await this.#context.infos.read(runId);
    } catch (error: unknown) {
      if (error instanceof NotFoundError) return null;
      throw error;
    }
  }
}

function poisonRecord(context: WorkerContext): string {
  return JSON.stringify({
    reason: 'poison',
    message: `${context.maxDeaths} workers died while they ran this task`,
    retryable: false,
    startMs: 0,
    durationMs: 0,
    worker: null,
  });
}
