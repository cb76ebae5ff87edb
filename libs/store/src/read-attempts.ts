import { type LogTail, readLog } from './logs.ts';
import { type AttemptRecord, decodeAttempt } from './packed.ts';
import { type FailureRecord, failureRecord, type TaskSummary } from './read-tasks.ts';
import type { RunInfo } from './run-info.ts';
import type { RedisClient } from './script.ts';

/** An attempt that has ended; one of both is there. */
export interface EndedAttempt {
  readonly attempt: number;
  readonly outcome: 'succeeded' | 'failed' | 'cancelled';
  readonly failure: FailureRecord | null;
  readonly record: AttemptRecord | null;
  /** Null where it wrote nothing, or nothing was kept. */
  readonly log: LogTail | null;
}

/** Every attempt of a task that has ended, in order, with what it wrote. */
export async function readAttempts(
  redis: RedisClient,
  info: RunInfo,
  task: TaskSummary,
): Promise<readonly EndedAttempt[]> {
  const { handle } = info.facts;
  const attempts: EndedAttempt[] = [];
  for (const ended of await readEnds(redis, info, task)) {
    const log = await readLog(redis, handle, task.task.number, ended.attempt);
    attempts.push({ ...ended, log });
  }
  return attempts;
}

type End = Omit<EndedAttempt, 'log'>;

async function readEnds(
  redis: RedisClient,
  info: RunInfo,
  task: TaskSummary,
): Promise<readonly End[]> {
  // Most tasks succeed at once: of these nothing else is kept.
  if (task.attempt <= 1 && task.state === 'succeeded') return lastEnd(task);
  const { names } = info.facts.handle;
  const fields = Array.from({ length: task.attempt }, (_, i) => `${task.task.number}.${i + 1}`);
  if (fields.length === 0) return [];
  const [failures, past] = await Promise.all([
    redis.hmget(names.failures, ...fields),
    redis.hmgetBuffer(names.past, ...fields),
  ]);
  return fields.flatMap((_, index): readonly End[] => {
    const attempt = index + 1;
    const failure = parseFailure(failures[index]);
    if (failure !== null) return [{ attempt, outcome: 'failed', failure, record: null }];
    const record = decodeAttempt(past[index] ?? Buffer.alloc(0));
    if (record !== null) return [{ attempt, outcome: 'succeeded', failure, record }];
    return attempt === task.attempt ? lastEnd(task) : [];
  });
}

function parseFailure(raw: string | null | undefined): FailureRecord | null {
  return raw === null || raw === undefined ? null : failureRecord.parse(JSON.parse(raw));
}

/** The last attempt, where it did not fail. */
function lastEnd({ state, attempt, last }: TaskSummary): readonly End[] {
  if (last === null || (state !== 'succeeded' && state !== 'cancelled')) return [];
  return [{ attempt, outcome: state, failure: null, record: last }];
}
