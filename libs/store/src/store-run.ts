import { randomUUID } from 'node:crypto';
import { setImmediate } from 'node:timers/promises';
import { failpoint, type Plan } from '@runnel/core';
import type { SpecRecord } from './chunks.ts';
import { PageWriter, removedMeanwhile } from './page-writer.ts';
import { type OpenRunHandle, type RunHandle, withQueues } from './run-handle.ts';
import { type GroupRoute, listParts, type PartSource, type RunPart } from './run-parts.ts';
import type { Argument, RedisClient } from './script.ts';
import { createRun, type SealAnswer, sealRun } from './scripts.ts';

export interface NewRun {
  readonly run: RunHandle;
  readonly plan: Plan;
  readonly spec: SpecRecord;
  readonly source: string | null;
  /** Of the request's body: the same idempotency key with another body is refused. */
  readonly bodyHash: string;
  readonly priority: number;
  readonly now: number;
  /** Who submits it, as they say. */
  readonly by?: string | null;
  route(group: Plan['groups'][number]): GroupRoute;
  /** Where given, the run is sealed as `created` and expires then unless it is started. */
  readonly expiresAt?: number;
}

export type StoreAnswer =
  | { readonly kind: 'stored'; readonly run: OpenRunHandle }
  | { readonly kind: 'exists'; readonly state: string; readonly bodyHash: string };

/** Others are served in between. */
const turnMs = 15;
/** Whole runs up to here are one call: sealing so many nodes takes Redis 2 ms at most. */
const smallNodes = 2_048;
const smallBytes = 262_144;
/** At the worst, where every node is a root, a page of sealing takes Redis 4 ms. */
const nodesPerSeal = 4_096;

/** A submission on its way. */
interface Submission extends PartSource {
  readonly request: NewRun;
  readonly run: OpenRunHandle;
  /** Of this submission alone: another one under the same id does not write into it. */
  readonly token: string;
}

/**
 * Stores a run and starts it: a small one by one call, of which Redis takes all or nothing; another
 * one in pages. Of the latter nothing runs until the last page of sealing, and a janitor removes what
 * is never sealed. Throws where the submission was removed meanwhile.
 */
export async function storeRun(redis: RedisClient, request: NewRun): Promise<StoreAnswer> {
  const { plan, spec } = request;
  const routes = plan.groups.map((group) => request.route(group));
  const ofTasks = routes.filter((_, number) => plan.groups[number]?.kind === 'task');
  const queues = [...new Set(ofTasks.map(({ queue }) => queue))];
  const run = withQueues(request.run, queues);
  const submission = { request, plan, spec, routes, queues, run, token: randomUUID() };
  const parts = gatherSmall(submission);
  return parts === null
    ? await storeInPages(redis, submission)
    : await storeAtOnce(redis, submission, parts);
}

/** All parts of a run; null where they are too many. */
function gatherSmall(source: PartSource): readonly RunPart[] | null {
  if (source.plan.nodeCount > smallNodes) return null;
  const parts: RunPart[] = [];
  let bytes = 0;
  for (const part of listParts(source)) {
    if (part === undefined) continue;
    bytes += part.bytes.length;
    if (bytes > smallBytes) return null;
    if (part.bytes.length > 0) parts.push(part);
  }
  return parts;
}

async function storeAtOnce(
  redis: RedisClient,
  submission: Submission,
  parts: readonly RunPart[],
): Promise<StoreAnswer> {
  const fields = [...recordFields(submission), ...metaFields(submission)];
  const contents = parts.flatMap(({ key, field, bytes }) => [key, field ?? '', bytes]);
  return await seal(redis, submission, [fields.length, ...fields, ...contents]);
}

async function storeInPages(redis: RedisClient, submission: Submission): Promise<StoreAnswer> {
  const { run, token, request } = submission;
  await failpoint('submit.before-create');
  const found = await createRun.run(redis, run.keys, [
    ...[run.id, request.now, token, request.bodyHash],
    ...metaFields(submission),
  ]);
  if (found.state !== 'new') return { kind: 'exists', ...found };

  await failpoint('submit.after-create');
  const pages = new PageWriter(redis, run, token);
  let turnEnds = performance.now() + turnMs;
  for (const part of listParts(submission)) {
    if (part !== undefined) await pages.write(part);
    if (performance.now() < turnEnds) continue;
    await setImmediate();
    turnEnds = performance.now() + turnMs;
  }
  await pages.flush();
  const answer = await seal(redis, submission, []);
  if (answer.kind === 'exists') throw removedMeanwhile(run.id);
  return answer;
}

/** Seals a run page by page: one that is written, or whose contents are given and go with the first page. */
async function seal(
  redis: RedisClient,
  submission: Submission,
  contents: readonly Argument[],
): Promise<StoreAnswer> {
  await failpoint('submit.before-seal');
  let answer: SealAnswer;
  let given = contents;
  do {
    answer = await callSeal(redis, submission, given);
    await failpoint('submit.after-seal-page');
    given = [];
  } while (answer.kind !== 'exists' && answer.cursor < answer.nodes);
  await failpoint('submit.after-seal');
  if (answer.kind === 'exists') return answer;
  return { kind: 'stored', run: submission.run };
}

async function callSeal(
  redis: RedisClient,
  { run, token, request }: Submission,
  contents: readonly Argument[],
): Promise<SealAnswer> {
  const { now, expiresAt } = request;
  const state = expiresAt === undefined ? 'running' : 'created';
  const args = [token, nodesPerSeal, now, state, expiresAt ?? 0, ...contents];
  const answer = await sealRun.run(redis, run.keys, args);
  if (answer === null) throw removedMeanwhile(run.id);
  return answer;
}

/** What `create-run` writes by itself. */
function recordFields({ request, run, token }: Submission): readonly Argument[] {
  return [
    ...['v', 1, 'id', run.id, 'state', 'submitting', 'created', request.now],
    ...['submitToken', token, 'bodyHash', request.bodyHash],
  ];
}

function metaFields({ request, queues }: Submission): readonly Argument[] {
  const { plan, spec } = request;
  const fields: Argument[] = [
    ...['n', plan.nodeCount, 'barriers', plan.barrierCount, 'onFailure', plan.onFailure],
    ...['tags', JSON.stringify(plan.tags), 'queues', queues.length, 'revision', 1],
    ...['groups', plan.groups.length, 'edges', plan.parents.length, 'priority', request.priority],
    ...['specFormat', spec.format],
  ];
  if (request.by) fields.push('by', request.by);
  if (plan.name !== null) fields.push('name', plan.name);
  if (request.source !== null) fields.push('source', request.source);
  if (plan.parallelism !== null) fields.push('parallelism', plan.parallelism);
  const { webhooks = [] } = plan;
  if (webhooks.length > 0) fields.push('hooks', JSON.stringify(webhooks));
  queues.forEach((queue, number) => {
    fields.push(`q${number}`, queue);
  });
  return fields;
}
