import { setTimeout as sleep } from 'node:timers/promises';
import { failpoint } from '@runnel/core';
import { type ClaimAnswer, claim, editPollMs, nudge, type RunInfo } from '@runnel/store';
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
    const info = await this.#context.infos.readIfThere(start.runId);
    if (info === null) return { kind: 'refused', why: 'the run was deleted' };
    const claimed = await this.#claim(info, start);
    if (claimed.kind === 'refused') {
      const { redis, namespace } = this.#context;
      const needsTurn = ['cancelled', 'split', 'poison', 'parked'].includes(claimed.refusal);
      if (needsTurn) await nudge(redis, namespace, start.runId);
      return { kind: 'refused', why: claimed.refusal };
    }
    const { delivery, hasOutputs, info: current } = claimed;
    if (claimed.needsTurn) await nudge(this.#context.redis, this.#context.namespace, start.runId);
    const group = await current.group(delivery.group);
    const facts = { info: current, group, start, delivery, hasOutputs };
    const { shape, handle: run } = current.facts;
    start.onClaimed?.({ carrier: delivery.carrier, token: delivery.token, shape, run });
    return await new Execution(this.#context, this.#renderer, facts).run();
  }

  /** What was reserved for this worker needs no claim, where its job starts for the first time. */
  async #claim(info: RunInfo, start: DeliveryStart): Promise<Claimed> {
    const { turns, infos } = this.#context;
    const { runId, carrier, attemptsStarted } = start;
    const reserved = turns.takeReserved(runId, carrier);
    if (reserved !== undefined && attemptsStarted === 1 && !start.mustClaim) {
      const current = await infos.readAt(runId, reserved.shape);
      // Of another shape its tasks may be others by now.
      if (current.facts.shape === reserved.shape) {
        return { kind: 'claimed', needsTurn: false, ...reserved, info: current };
      }
    }
    const token = nextToken();
    let needsTurn = false;
    for (;;) {
      const answer = await this.#ask(info, start, token);
      if (answer.kind === 'claimed') {
        needsTurn ||= answer.needsTurn;
        const current = await infos.readAt(runId, answer.shape);
        // Where the run has changed since the claim, it is asked what is left of the delivery.
        if (current.facts.shape === answer.shape) return { ...answer, needsTurn, info: current };
      } else if (answer.refusal !== 'editing' || hasEnded(start)) return answer;
      else await sleep(editPollMs);
    }
  }

  async #ask(info: RunInfo, start: DeliveryStart, token: Buffer): Promise<ClaimAnswer> {
    const { redis, maxDeaths } = this.#context;
    await failpoint('claim.before');
    const answer = await claim(redis, info.facts.handle, {
      carrier: start.carrier,
      attemptsStarted: start.attemptsStarted,
      token,
      maxDeaths,
      poisonRecord: poisonRecord(this.#context),
      now: this.#context.now(),
    });
    await failpoint('claim.after');
    return answer;
  }
}

type Claimed =
  | (Extract<ClaimAnswer, { kind: 'claimed' }> & { readonly info: RunInfo })
  | Extract<ClaimAnswer, { kind: 'refused' }>;

function hasEnded({ lease, cancel, shutdown }: DeliveryStart): boolean {
  return lease.aborted || cancel.aborted || shutdown.aborted;
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
