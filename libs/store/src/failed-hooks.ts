import { shardCount, shardKey, shardOf } from './keys.ts';
import { runHandle } from './run-handle.ts';
import type { RedisClient } from './script.ts';
import { retryHook } from './scripts.ts';

/** Messages of a webhook that were given up, from one event to another. */
export interface FailedHook {
  /** Names it: its shard and its entry there. */
  readonly id: string;
  readonly runId: string;
  readonly createdAt: number;
  /** Which of the run's webhooks. */
  readonly hook: number;
  readonly url: string;
  /** The last event before it. */
  readonly after: number;
  /** Its last event; null: all that come, since the receiver wants no more. */
  readonly until: number | null;
  /** The last event of its first message. */
  readonly to: number;
  readonly isReset: boolean;
  readonly tries: number;
  readonly firstAt: number;
  readonly at: number;
  readonly error: string;
}

/** Where a page ended: newest first, then by shard. */
export type FailedHookPosition = readonly [entryMs: number, entrySeq: number, shard: number];

interface Found {
  readonly position: FailedHookPosition;
  readonly failed: FailedHook;
}

/** A page of what was given up, newest first, merged from all shards. */
export async function listFailedHooks(
  redis: RedisClient,
  namespace: string,
  { limit, after }: { readonly limit: number; readonly after?: FailedHookPosition },
): Promise<{ readonly failed: readonly FailedHook[]; readonly next: FailedHookPosition | null }> {
  const from = after === undefined ? '+' : `${after[0]}-${after[1]}`;
  const shards = [...Array(shardCount).keys()];
  const lists = await Promise.all(
    shards.map(async (shard) => {
      const key = shardKey(namespace, shard, 'hooksFailed');
      // One more: the entry at which the last page ended comes again.
      const entries = await redis.xrevrange(key, from, '-', 'COUNT', limit + 1);
      return entries.map(([id, fields]) => toFound(shard, id, fields));
    }),
  );
  const sorted = lists.flat().sort((a, b) => compare(b.position, a.position));
  const fresh = sorted.filter(
    ({ position }) => after === undefined || compare(position, after) < 0,
  );
  const page = fresh.slice(0, limit);
  const isLast = fresh.length <= limit;
  return {
    failed: page.map(({ failed }) => failed),
    next: isLast ? null : (page.at(-1)?.position ?? null),
  };
}

/** What a retry of something that was given up came to. */
export type HookRetryAnswer =
  | { readonly kind: 'begun'; readonly failed: FailedHook }
  | { readonly kind: 'missing' }
  | { readonly kind: 'removed'; readonly failed: FailedHook };

/** Has sent again what was given up. */
export async function retryFailedHook(
  redis: RedisClient,
  namespace: string,
  { id, now }: { readonly id: string; readonly now: number },
): Promise<HookRetryAnswer> {
  const failed = await readFailedHook(redis, namespace, id);
  if (failed === null) return { kind: 'missing' };
  const { runId, createdAt, hook, after, until, to, isReset } = failed;
  const plan = { to, isReset, tries: 0, dueAt: now, firstAt: now, error: null };
  const lane = JSON.stringify({ hook, after, until, closed: false, plan });
  const entryId = id.slice(id.indexOf('-') + 1);
  const isOpen = until === null ? 1 : 0;
  const args = [runId, createdAt, entryId, hook, lane, isOpen, now];
  const answer = await retryHook.run(redis, runHandle(namespace, runId).keys, args);
  if (answer === 'begun' || answer === 'removed') return { kind: answer, failed };
  return { kind: 'missing' };
}

/** What was given up; null where there is no such thing (any more). */
export async function readFailedHook(
  redis: RedisClient,
  namespace: string,
  id: string,
): Promise<FailedHook | null> {
  const match = /^(\d{1,2})-(\d{1,15}-\d{1,15})$/.exec(id);
  const [, shard, entryId = ''] = match ?? [];
  if (match === null || Number(shard) >= shardCount) return null;
  const key = shardKey(namespace, Number(shard), 'hooksFailed');
  const [entry] = await redis.xrange(key, entryId, entryId);
  if (entry === undefined) return null;
  const { failed } = toFound(Number(shard), entry[0], entry[1]);
  return shardOf(failed.runId) === Number(shard) ? failed : null;
}

function toFound(shard: number, entryId: string, fields: readonly string[]): Found {
  const values = new Map<string, string>();
  for (let at = 0; at < fields.length; at += 2) values.set(fields[at] ?? '', fields[at + 1] ?? '');
  const text = (name: string): string => values.get(name) ?? '';
  const number = (name: string): number => Number(text(name));
  const [ms = 0, seq = 0] = entryId.split('-').map(Number);
  return {
    position: [ms, seq, shard],
    failed: {
      ...{ id: `${shard}-${entryId}`, runId: text('run'), createdAt: number('created') },
      ...{ hook: number('hook'), url: text('url'), after: number('after') },
      until: text('until') === '' ? null : number('until'),
      ...{ to: number('to'), isReset: text('reset') === '1', tries: number('tries') },
      ...{ firstAt: number('since'), at: number('at'), error: text('error') },
    },
  };
}

function compare(a: FailedHookPosition, b: FailedHookPosition): number {
  return a[0] - b[0] || a[1] - b[1] || a[2] - b[2];
}
