import { isFinalRunState, runStates, type Webhook, webhookSchema } from '@runnel/core';
import { z } from 'zod';
import { moveHook, restHooks } from './hook-scripts.ts';
import { shardKey, shardOf } from './keys.ts';
import { runHandle } from './run-handle.ts';
import type { RedisClient } from './script.ts';

// A webhook of a run has a lane that follows the run's feed from its beginning, named by the webhook's number. What was
// given up and is sent again has one of its own, up to where it was given up. A lane keeps the number of the last event
// that was delivered, and before a message goes out, up to which event it reaches: sent again after a crash, it is the
// same message.

/** A message that is under way, or is tried again. */
const plan = z.object({
  /** The number of its last event. */
  to: z.number(),
  /** It says only that what was before `to` and had not been told is not kept any more. */
  isReset: z.boolean(),
  /** Tries that failed. */
  tries: z.number(),
  dueAt: z.number(),
  firstAt: z.number(),
  error: z.string().nullable(),
});
export type HookPlan = z.infer<typeof plan>;

const lane = z.object({
  /** The number of the last event that was delivered, or is of no interest. */
  after: z.number(),
  /** Where it ends; null: with the run. */
  until: z.number().nullable(),
  /** The receiver wants nothing more. */
  closed: z.boolean().default(false),
  plan: plan.nullable(),
});
export type HookLaneState = z.infer<typeof lane>;

export interface HookLane {
  readonly name: string;
  /** Which of the run's webhooks. */
  readonly number: number;
  readonly webhook: Webhook;
  readonly state: HookLaneState;
}

/** How a run stands for its webhooks. */
export interface HookStanding {
  readonly runId: string;
  readonly createdAt: number;
  readonly hasEnded: boolean;
  /** The number of the last event. */
  readonly last: number;
  readonly shape: number;
  readonly lanes: readonly HookLane[];
  /** What must be the same when the run is put aside. */
  readonly seen: readonly string[];
}

/** Runs of a shard whose webhooks are due to be looked at. */
export function readDueHooks(
  redis: RedisClient,
  namespace: string,
  shard: number,
  { now, count }: { readonly now: number; readonly count: number },
): Promise<readonly string[]> {
  return redis.zrangebyscore(shardKey(namespace, shard, 'hooks'), 0, now, 'LIMIT', 0, count);
}

/** Puts a run aside for a while, whatever has become of it. */
export async function delayHooks(
  redis: RedisClient,
  namespace: string,
  runId: string,
  until: number,
): Promise<void> {
  await redis.zadd(shardKey(namespace, shardOf(runId), 'hooks'), 'XX', until, runId);
}

/** Null where the run is gone. */
export async function readHookStanding(
  redis: RedisClient,
  namespace: string,
  runId: string,
): Promise<HookStanding | null> {
  const { names } = runHandle(namespace, runId);
  const fields = ['created', 'state', 'events', 'hookRetries', 'hooks', 'shape'] as const;
  // One write to the connection: many runs are looked at.
  const replies = await redis
    .pipeline()
    .hmget(names.meta, ...fields)
    .hgetall(names.hookLanes)
    .exec();
  const [meta, raw] = (replies ?? []).map(([error, reply]) => {
    if (error !== null) throw error;
    return reply;
  });
  const values = z.array(z.string().nullable()).parse(meta);
  const [created, state, events, retries, hooks, shape] = values.map((value) => value ?? '');
  if (created === undefined || created === '') return null;
  const known = runStates.find((one) => one === state);
  return {
    runId,
    createdAt: Number(created),
    hasEnded: known !== undefined && isFinalRunState(known),
    last: Number(events),
    shape: Number(shape),
    lanes: lanesOf(parseHooks(hooks), z.record(z.string(), z.string()).parse(raw)),
    seen: [created, state ?? '', events ?? '', retries ?? ''],
  };
}

function parseHooks(raw: string | undefined): readonly Webhook[] {
  return z.array(webhookSchema).parse(JSON.parse(raw || '[]'));
}

/** Of something that is sent again, and the number of its webhook. */
const retriedLane = lane.extend({ hook: z.number() });

function lanesOf(
  webhooks: readonly Webhook[],
  raw: Readonly<Record<string, string>>,
): readonly HookLane[] {
  const live = webhooks.map((webhook, number): HookLane => {
    const kept = raw[number];
    const state = kept === undefined ? newLane : lane.parse(JSON.parse(kept));
    return { name: String(number), number, webhook, state };
  });
  const others = Object.entries(raw).filter(([name]) => name.startsWith('r'));
  const retried = others.flatMap(([name, text]): readonly HookLane[] => {
    const { hook, ...state } = retriedLane.parse(JSON.parse(text));
    const webhook = webhooks[hook];
    return webhook === undefined ? [] : [{ name, number: hook, webhook, state }];
  });
  return [...live, ...retried];
}

const newLane: HookLaneState = { after: 0, until: null, closed: false, plan: null };

/** Something that is given up. */
export interface GivenUp {
  /** The last event that it should have reached; null: a webhook that is closed. */
  readonly until: number | null;
  /** The last event of the first message. */
  readonly firstTo: number;
  readonly isReset: boolean;
  readonly tries: number;
  readonly firstAt: number;
  readonly at: number;
  readonly error: string;
}

/** How a lane goes on. */
export interface HookMove {
  /** Null: it is done with. */
  readonly next: HookLaneState | null;
  readonly givenUp?: GivenUp;
}

/** Moves a lane; false where another has moved it since it was read, or the run is gone. */
export async function moveLane(
  redis: RedisClient,
  namespace: string,
  { standing, lane: from }: { readonly standing: HookStanding; readonly lane: HookLane },
  { next, givenUp }: HookMove,
): Promise<boolean> {
  const run = runHandle(namespace, standing.runId);
  const isLive = /^\d+$/.test(from.name);
  const kept = isLive ? next : next && { ...next, hook: from.number };
  const moved = await moveHook.run(redis, run.keys, [
    ...[standing.createdAt, from.name, from.state.after],
    kept === null ? '' : JSON.stringify(kept),
    ...(givenUp === undefined ? [] : fieldsOf(givenUp, standing, from)),
  ]);
  return moved === 1;
}

function fieldsOf(
  { until, firstTo, isReset, tries, firstAt, at, error }: GivenUp,
  { runId, createdAt }: HookStanding,
  { number, webhook, state }: HookLane,
): readonly (string | number)[] {
  return [
    ...['run', runId, 'created', createdAt, 'hook', number, 'url', webhook.url],
    ...['after', state.after, 'until', until ?? '', 'to', firstTo, 'reset', isReset ? 1 : 0],
    ...['tries', tries, 'since', firstAt, 'at', at, 'error', error],
  ];
}

/**
 * Says when a run is looked at next; null: no more, until something begins again. False where the run
 * has changed since it was read: it stays due.
 */
export async function putHooksAside(
  redis: RedisClient,
  namespace: string,
  standing: Pick<HookStanding, 'runId' | 'seen'>,
  nextAt: number | null,
): Promise<boolean> {
  const run = runHandle(namespace, standing.runId);
  const args = [standing.runId, ...standing.seen, nextAt ?? ''];
  return (await restHooks.run(redis, run.keys, args)) === 1;
}
