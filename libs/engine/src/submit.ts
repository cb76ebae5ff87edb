import { createHash } from 'node:crypto';
import {
  ConflictError,
  failpoint,
  type Group,
  type Plan,
  unreachable,
  type Webhook,
} from '@runnel/core';
import { queueName } from '@runnel/queue';
import {
  encodeSpec,
  type GroupRoute,
  type OpenRunHandle,
  type RedisClient,
  readRun,
  runHandle,
  type SpecRecord,
  startRun,
  storeRun,
} from '@runnel/store';
import type { ExecutorFacts } from './executors.ts';
import { newRunId, runIdOfKey } from './run-id.ts';

/** What was submitted: a document, or a text that was never held as a whole; its hash is needed only under a key. */
export type SubmittedSpec =
  | { readonly kind: 'document'; readonly value: unknown }
  | { readonly kind: 'text'; readonly record: SpecRecord; readonly hash: string };

export interface Submission {
  readonly plan: Plan;
  readonly spec: SubmittedSpec;
  readonly source: string | null;
  readonly priority: number;
  /** With a client's name: the same key is the same run. */
  readonly idempotency?: { readonly client: string; readonly key: string };
  /** Where given, the run is only created, and expires then unless it is started. */
  readonly expiresAt?: number;
}

export interface Submitted {
  readonly runId: string;
  /** False where the key had been used for the same document before. */
  readonly isNew: boolean;
}

export interface SubmitContext {
  readonly redis: RedisClient;
  readonly namespace: string;
  readonly executors: ExecutorFacts;
  /** Told of every run, beside those of its spec. */
  readonly webhooks?: readonly Webhook[];
  readonly now: number;
  /** The hash of the spec of a run in the archive; null where there is none. */
  readArchivedHash?(id: string): Promise<string | null>;
  /** Who asks, as they say. */
  readonly by?: string | null;
  /** What a task of a class takes at a guess; undefined: nothing is known. */
  expectedMs?(className: string): number | undefined;
}

/** Stores a run and starts it. What is ready is cut by the listener that owns its shard. */
export async function submitRun(context: SubmitContext, request: Submission): Promise<Submitted> {
  const { redis, namespace, now } = context;
  const { idempotency, spec } = request;
  // Nobody compares it but a later request with the same key.
  const bodyHash = idempotency === undefined ? '' : hashOf(spec);
  const id =
    idempotency === undefined ? newRunId(now) : runIdOfKey(idempotency.client, idempotency.key);
  const known = idempotency === undefined ? null : await findKnown(context, id);
  if (known !== null) return replay(id, known, bodyHash);
  const answer = await storeRun(redis, {
    run: runHandle(namespace, id),
    plan: withWebhooks(request.plan, context.webhooks ?? []),
    spec: spec.kind === 'text' ? spec.record : encodeSpec(spec.value),
    source: request.source,
    bodyHash,
    priority: request.priority,
    now,
    by: context.by ?? null,
    route: (group) => ({
      ...routeOf(group, context.executors),
      expectedMs: group.kind === 'task' ? context.expectedMs?.(group.class) : undefined,
    }),
    ...(request.expiresAt === undefined ? {} : { expiresAt: request.expiresAt }),
  });
  switch (answer.kind) {
    case 'stored':
      return { runId: id, isNew: true };
    case 'exists':
      return replay(id, answer, bodyHash);
    default:
      throw unreachable(answer);
  }
}

/**
 * The run that a key stands for already, as far as it is whole; null: none. Redis first: what moves from there in
 * between is in the archive by then, and what is in Redis is known while the archive is away.
 */
async function findKnown(
  { redis, namespace, readArchivedHash }: SubmitContext,
  id: string,
): Promise<{ readonly state: string; readonly bodyHash: string } | null> {
  const [state, bodyHash] = await redis.hmget(
    runHandle(namespace, id).names.meta,
    ...['state', 'bodyHash'],
  );
  // What is on its way here may be an archived run that is brought back.
  if (typeof state === 'string' && state !== 'submitting') {
    return { state, bodyHash: bodyHash ?? '' };
  }
  const archived = await readArchivedHash?.(id);
  return typeof archived === 'string' ? { state: 'succeeded', bodyHash: archived } : null;
}

function withWebhooks(plan: Plan, ofAllRuns: readonly Webhook[]): Plan {
  return { ...plan, webhooks: [...(plan.webhooks ?? []), ...ofAllRuns] };
}

/** An idempotency key that was used for another document. */
export class KeyReusedError extends ConflictError {}

function replay(
  id: string,
  found: { readonly state: string; readonly bodyHash: string },
  bodyHash: string,
): Submitted {
  if (found.bodyHash !== bodyHash) {
    throw new KeyReusedError(
      `the Idempotency-Key was used for another spec (run ${id}): use a new key for a new run`,
    );
  }
  if (found.state === 'submitting') {
    throw new ConflictError(
      `run ${id} is being submitted under the same Idempotency-Key: ask again in a few seconds`,
      'IN_FLIGHT',
    );
  }
  return { runId: id, isNew: false };
}

/** Starts a run that was only created; a run that has started already is left as it is. */
export async function startCreatedRun(
  context: Pick<SubmitContext, 'redis' | 'namespace' | 'now' | 'by'>,
  id: string,
): Promise<OpenRunHandle> {
  const { facts } = await readRun(context.redis, context.namespace, id);
  await failpoint('start.before');
  await startRun.run(context.redis, facts.handle.keys, [context.now, context.by ?? '']);
  await failpoint('start.after');
  return facts.handle;
}

/** How tasks of a group travel. */
export function routeOf(group: Group, executors: ExecutorFacts): GroupRoute {
  if (group.kind === 'barrier') return { queue: '', maxBatch: 1, isSideBySide: false };
  return {
    queue: queueName(group.pool, executors.lane(group.executor)),
    maxBatch: executors.maxBatch(group.executor),
    isSideBySide: executors.isSideBySide(group.executor),
  };
}

function hashOf(spec: SubmittedSpec): string {
  if (spec.kind === 'text') return spec.hash;
  return createHash('sha256').update(JSON.stringify(spec.value)).digest('hex').slice(0, 32);
}
