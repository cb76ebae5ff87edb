import type { Json, TaskState } from '@runnel/core';
import { z } from 'zod';
import { readDeliveries } from './deliveries.ts';
import { isInSpans, readReplaced } from './growth/generated-sets.ts';
import { nameHash } from './names.ts';
import {
  type AttemptRecord,
  attemptBytes,
  decodeAttempt,
  finalStateOf,
  isClaimed,
  stateCode,
} from './packed.ts';
import { childKeys, parentKeys, readEdges, readOwnEdges } from './read-edges.ts';
import { groupAt, type PlannedTask, type RunInfo } from './run-info.ts';
import type { RedisClient } from './script.ts';

/** What is kept of a failed attempt. */
export const failureRecord = z.object({
  reason: z.string(),
  message: z.string(),
  startMs: z.number(),
  durationMs: z.number(),
  worker: z.string().nullable(),
  exitCode: z.number().optional(),
  signal: z.string().optional(),
});
export type FailureRecord = z.infer<typeof failureRecord>;

/** A task as it stands. */
export interface TaskSummary {
  readonly task: PlannedTask;
  readonly state: TaskState;
  /** Number of the current or last attempt; 0 where none was made. */
  readonly attempt: number;
  /** Of the last attempt that ended; null where none did. */
  readonly last: AttemptRecord | null;
}

/** States of a span of nodes, read from four strings and the open deliveries. */
export interface StateReader {
  stateOf(number: number): TaskState;
  /** Of a generated set that was replaced: no task any more. */
  isRetired(number: number): boolean;
}

/** The states of nodes from ≤ n < to. */
export async function readStates(
  redis: RedisClient,
  info: RunInfo,
  from: number,
  to: number,
): Promise<StateReader> {
  const names = info.facts.handle.names;
  const [states, waiting, deliveries] = await Promise.all([
    redis.getrangeBuffer(names.state, from, to - 1),
    redis.getrangeBuffer(names.waiting, from * 4, to * 4 - 1),
    readDeliveries(redis, info.facts.handle),
  ]);
  const open = new Map<number, TaskState>();
  for (const delivery of deliveries) {
    const state = isClaimed(delivery) ? 'running' : 'queued';
    delivery.ids.forEach((id, place) => {
      if (delivery.open[place]) open.set(id, state);
    });
  }
  return {
    isRetired: (number) => states[number - from] === stateCode.retired,
    stateOf(number) {
      const code = states[number - from] ?? 0;
      const final = finalStateOf(code);
      if (final !== undefined) return final;
      if (code === stateCode.delayed) return 'delayed';
      if (code === stateCode.suspended) return 'suspended';
      if (code === stateCode.reused) return 'waiting';
      const inDelivery = open.get(number);
      if (inDelivery !== undefined) return inDelivery;
      const word = waiting.readUInt32BE((number - from) * 4);
      const isReleased = ((word >>> 24) & 8) !== 0;
      return isReleased || (word & 0xff_ff_ff) === 0 ? 'ready' : 'waiting';
    },
  };
}

export interface FoundTask {
  readonly number: number;
  readonly state: TaskState;
}

/** What is shown of tasks whose state is known. */
export async function summarize(
  redis: RedisClient,
  info: RunInfo,
  found: readonly FoundTask[],
): Promise<readonly TaskSummary[]> {
  if (found.length === 0) return [];
  const names = info.facts.handle.names;
  const [attempts, tries, tasks] = await Promise.all([
    readAttempts(redis, info, found),
    redis.hmget(names.tries, ...found.map(({ number }) => String(number))),
    Promise.all(found.map(({ number }) => info.task(number))),
  ]);
  return tasks.map((task, index) => {
    const state = found[index]?.state ?? 'waiting';
    const last = decodeAttempt(attempts[index] ?? Buffer.alloc(0));
    // Of one that ended as poison no worker reported an attempt.
    const hasStarted = last !== null || state === 'running' || state === 'failed';
    return { task, state, last, attempt: Number(tries[index] ?? (hasStarted ? 1 : 0)) };
  });
}

/** Records between those that are wanted are read as well, where one read then does. */
const mostAttemptsRead = 4_096;

/** The records of last attempts, in one round trip; the tasks are in id order. */
async function readAttempts(
  redis: RedisClient,
  info: RunInfo,
  found: readonly FoundTask[],
): Promise<readonly Buffer[]> {
  const key = info.facts.handle.names.attempts;
  const first = found[0]?.number ?? 0;
  const last = found.at(-1)?.number ?? 0;
  if (last - first < mostAttemptsRead) {
    const raw = await redis.getrangeBuffer(
      key,
      first * attemptBytes,
      (last + 1) * attemptBytes - 1,
    );
    return found.map(({ number }) => {
      const at = (number - first) * attemptBytes;
      return raw.subarray(at, at + attemptBytes);
    });
  }
  const pipeline = redis.pipeline();
  for (const { number } of found) {
    pipeline.getrangeBuffer(key, number * attemptBytes, (number + 1) * attemptBytes - 1);
  }
  const replies = (await pipeline.exec()) ?? [];
  return replies.map(([error, raw]) => {
    if (error !== null) throw error;
    return Buffer.isBuffer(raw) ? raw : Buffer.alloc(0);
  });
}

/** Everything about one task. */
export interface TaskDetail extends TaskSummary {
  readonly output: Json | null;
  readonly failures: readonly (FailureRecord & { readonly attempt: number })[];
  /** Of attempts before the last, where the task was run again. */
  readonly successes: readonly (AttemptRecord & { readonly attempt: number })[];
  readonly parents: readonly number[];
  readonly children: readonly number[];
  /** Attempts made before it was last brought back: they do not count against its retries. */
  readonly base: number;
}

export async function readTask(
  redis: RedisClient,
  info: RunInfo,
  number: number,
): Promise<TaskDetail> {
  const names = info.facts.handle.names;
  const reader = await readStates(redis, info, number, number + 1);
  const [summary] = await summarize(redis, info, [{ number, state: reader.stateOf(number) }]);
  if (summary === undefined) throw new Error(`task ${number} could not be read`);
  const fields = Array.from({ length: summary.attempt }, (_, index) => `${number}.${index + 1}`);
  const [output, records, past, parents, children, base] = await Promise.all([
    redis.hget(names.outputs, String(number)),
    fields.length === 0 ? [] : redis.hmget(names.failures, ...fields),
    fields.length < 2 ? [] : redis.hmgetBuffer(names.past, ...fields),
    readEdges(redis, parentKeys(info), number),
    readEdges(redis, childKeys(info), number),
    redis.hget(names.bases, String(number)),
  ]);
  const failures = records.flatMap((raw, index) =>
    raw === null ? [] : [{ ...failureRecord.parse(JSON.parse(raw)), attempt: index + 1 }],
  );
  const successes = past.flatMap((raw, index) => {
    const record = raw === null ? null : decodeAttempt(raw);
    return record === null ? [] : [{ ...record, attempt: index + 1 }];
  });
  return {
    ...{ ...summary, output: parseJson(output), failures, successes, parents, children },
    base: Number(base ?? 0),
  };
}

/** Tasks whose outputs one task may read at most; more is an error that says so. */
const mostInputs = 100_000;

/** The direct parents of a task; a barrier stands for its own parents, a generator's end for the generator alone. */
export async function readParents(
  redis: RedisClient,
  info: RunInfo,
  number: number,
): Promise<readonly number[]> {
  const own = await readOwnEdges(redis, parentKeys(info), number, mostInputs);
  const direct = [...own].map((edge) => edge & 0xff_ff_ff);
  const ranges = await info.ranges();
  const parents: number[] = [];
  for (const parent of direct) {
    const group = await info.group(groupAt(ranges, parent));
    if (group.kind !== 'barrier') parents.push(parent);
    else parents.push(...(await readParents(redis, info, parent)));
  }
  return parents.sort((a, b) => a - b);
}

/** Outputs of the given tasks; those without one are left out. */
export async function readOutputs(
  redis: RedisClient,
  info: RunInfo,
  numbers: readonly number[],
): Promise<ReadonlyMap<number, Json>> {
  const names = info.facts.handle.names;
  const outputs = new Map<number, Json>();
  for (let from = 0; from < numbers.length; from += 1_000) {
    const page = numbers.slice(from, from + 1_000);
    const found = await redis.hmget(names.outputs, ...page.map(String));
    page.forEach((number, index) => {
      const raw = found[index];
      if (raw !== null && raw !== undefined) outputs.set(number, parseJson(raw));
    });
  }
  return outputs;
}

/** The number of the task with that id, or of the integer itself; null where there is none. */
export async function findTask(
  redis: RedisClient,
  info: RunInfo,
  idOrNumber: string,
): Promise<number | null> {
  const nodeCount = info.facts.nodeCount;
  if (/^\d{1,8}$/.test(idOrNumber)) return await checkNumber(info, Number(idOrNumber));
  const wanted = nameHash(idOrNumber);
  for (let from = 0; from < nodeCount; from += nodesPerRead) {
    const to = Math.min(nodeCount, from + nodesPerRead);
    const names = info.facts.handle.names.names;
    const raw = await redis.getrangeBuffer(names, from * 2, to * 2 - 1);
    const hashes = new Uint16Array(new Uint8Array(raw).buffer);
    for (let at = hashes.indexOf(wanted); at >= 0; at = hashes.indexOf(wanted, at + 1)) {
      const task = await info.task(from + at);
      if (task.id !== idOrNumber || task.group.kind === 'barrier') continue;
      if (!(await isRetired(redis, info, from + at))) return from + at;
    }
  }
  return null;
}

/** A generated task may have taken the id of one that its generator generated before. */
async function isRetired(redis: RedisClient, info: RunInfo, number: number): Promise<boolean> {
  // Only a run that has grown has any.
  if (info.facts.shape === 0) return false;
  const { handle } = info.facts;
  if (isInSpans(await readReplaced(redis, handle), number)) return true;
  const [code] = await redis.getrangeBuffer(handle.names.state, number, number);
  return code === stateCode.retired;
}

const nodesPerRead = 524_288;

async function checkNumber(info: RunInfo, number: number): Promise<number | null> {
  if (number >= info.facts.nodeCount) return null;
  const group = await info.group(groupAt(await info.ranges(), number));
  return group.kind === 'barrier' ? null : number;
}

function parseJson(raw: string | null): Json {
  return raw === null ? null : z.custom<Json>(() => true).parse(JSON.parse(raw));
}
