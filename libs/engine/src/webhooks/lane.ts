import { failpoint, SecretError } from '@runnel/core';
import {
  type GivenUp,
  type HookLane,
  type HookLaneState,
  type HookPlan,
  type HookStanding,
  moveLane,
  type RunInfo,
} from '@runnel/store';
import { type EncodeContext, encodeMessage } from './encode.ts';
import { composeMessage, type HookMessage, type NextMessage } from './message.ts';
import type { HookPoster, PostResult } from './post.ts';
import { maxTries, nextTryDelayMs } from './tries.ts';

export interface LaneContext extends EncodeContext {
  readonly namespace: string;
  readonly poster: HookPoster;
  readonly stopping: AbortSignal;
  now(): number;
  random(): number;
  /** What became of a message. */
  onResult(result: LaneResult): void;
}

export interface LaneResult {
  readonly kind: 'delivered' | 'failed' | 'given-up';
  readonly runId: string;
  readonly url: string;
  readonly tries: number;
  readonly error: string | null;
}

interface At {
  readonly context: LaneContext;
  readonly standing: HookStanding;
  readonly info: RunInfo;
  readonly lane: HookLane;
}

/**
 * Brings a lane one message further. Null where there is nothing more to do now: all is told, a try has failed, or
 * another process has the lane.
 *
 * Before a message goes out it is written down up to which event it reaches; after the answer the lane is moved there.
 * A crash in between: the next owner composes the same message from the feed and sends it again, under the same id.
 */
export async function stepLane(at: At): Promise<HookLane | null> {
  const { lane, standing } = at;
  const { plan, after, until } = lane.state;
  if (lane.state.closed) return null;
  const message = plan === null ? await compose(at, until) : await recompose(at, plan);
  if (message.kind === 'none') {
    return message.to > after ? await moveTo(at, message.to) : null;
  }
  const planned = plan === null || plan.to !== message.to ? await writePlan(at, message) : lane;
  if (planned === null || planned.state.plan === null) return null;
  const own = { ...at, lane: planned };
  await failpoint('hook.before-post');
  const result = await post(own, message, planned.state.plan);
  if (result.kind === 'stopped') return null;
  await failpoint('hook.after-post');
  const moved = await settle(own, message, planned.state.plan, result);
  await failpoint('hook.after-move');
  return moved !== null && moved.state.after < standing.last ? moved : null;
}

function compose(
  { context, info, lane, standing }: At,
  until: number | null,
): Promise<NextMessage> {
  const { webhook, state } = lane;
  const bound = until ?? Number.MAX_SAFE_INTEGER;
  const last = Math.min(standing.last, bound);
  return composeMessage(context.events.redis, info, {
    ...{ webhook, after: state.after, until: bound, last },
  });
}

/** The message that was under way; another one where the feed has lost it since. */
async function recompose(at: At, { to, isReset }: HookPlan): Promise<NextMessage> {
  const { after } = at.lane.state;
  return isReset ? { kind: 'reset', after, to } : await compose(at, to);
}

async function writePlan(at: At, message: HookMessage): Promise<HookLane | null> {
  const { context, lane } = at;
  const now = context.now();
  const tried = lane.state.plan;
  const plan: HookPlan = {
    ...{ to: message.to, isReset: message.kind === 'reset', tries: tried?.tries ?? 0 },
    ...{ dueAt: now, firstAt: tried?.firstAt ?? now, error: tried?.error ?? null },
  };
  return await move(at, { ...lane.state, plan });
}

async function post(at: At, message: HookMessage, plan: HookPlan): Promise<PostResult> {
  const { context, info, lane } = at;
  const { webhook, number } = lane;
  const now = context.now();
  const request = { info, webhook, number, message, madeAt: plan.firstAt, now };
  try {
    const encoded = await encodeMessage(context, request);
    return await context.poster.post(encoded, context.stopping);
  } catch (error: unknown) {
    // Whoever runs the listeners can put it right meanwhile.
    if (!(error instanceof SecretError)) throw error;
    return { kind: 'failed', error: error.message, retryAfterMs: null };
  }
}

async function settle(
  at: At,
  message: HookMessage,
  plan: HookPlan,
  result: Exclude<PostResult, { kind: 'stopped' }>,
): Promise<HookLane | null> {
  const { context, standing, lane } = at;
  const told = { runId: standing.runId, url: lane.webhook.url };
  if (result.kind === 'delivered') {
    context.onResult({ ...told, kind: 'delivered', tries: plan.tries, error: null });
    return await moveTo(at, message.to);
  }
  const { error } = result;
  const tries = plan.tries + 1;
  if (result.kind === 'closed' || tries >= maxTries) {
    context.onResult({ ...told, kind: 'given-up', tries, error });
    await giveUp(at, { ...plan, tries, error }, result.kind === 'closed');
    return null;
  }
  context.onResult({ ...told, kind: 'failed', tries, error });
  const delay = nextTryDelayMs(tries, result.retryAfterMs, context.random());
  await move(at, { ...lane.state, plan: { ...plan, tries, error, dueAt: context.now() + delay } });
  return null;
}

/** All that the lane could tell by now goes to what was given up; what comes later is told again. */
async function giveUp(at: At, plan: HookPlan, wantsNoMore: boolean): Promise<void> {
  const { context, standing, lane } = at;
  const { state } = lane;
  const isLive = state.until === null;
  const closed = isLive && wantsNoMore;
  const to = state.until ?? Math.max(plan.to, standing.last);
  const { tries, firstAt, isReset, error } = plan;
  const givenUp: GivenUp = {
    ...{ until: closed ? null : to, firstTo: plan.to, isReset, tries, firstAt },
    ...{ at: context.now(), error: error ?? '' },
  };
  const next = isLive ? { after: to, until: null, closed, plan: null } : null;
  await moveLane(context.events.redis, context.namespace, at, { next, givenUp });
}

async function moveTo(at: At, to: number): Promise<HookLane | null> {
  const { lane, context } = at;
  const { until } = lane.state;
  if (until === null || to < until) return await move(at, { ...lane.state, after: to, plan: null });
  await moveLane(context.events.redis, context.namespace, at, { next: null });
  return null;
}

/** The lane as it is then; null where another process has moved it. */
async function move(at: At, state: HookLaneState): Promise<HookLane | null> {
  const { lane, context } = at;
  const { events, namespace } = context;
  return (await moveLane(events.redis, namespace, at, { next: state })) ? { ...lane, state } : null;
}
