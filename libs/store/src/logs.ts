import { runChannel } from './channels.ts';
import type { RunHandle } from './run-handle.ts';
import type { RedisClient } from './script.ts';
import { appendLog } from './scripts.ts';

/** The tail of what one attempt wrote. */
export interface LogTail {
  /** Bytes that were written before the tail and are not kept. */
  readonly droppedBytes: number;
  readonly tail: Buffer;
}

/** Keeps a tail; false where the run's cap is reached or the run is gone. */
export async function writeLog(
  redis: RedisClient,
  run: RunHandle,
  log: LogTail & {
    readonly task: number;
    readonly attempt: number;
    readonly runCapBytes: number;
  },
): Promise<boolean> {
  const answer = await appendLog.run(redis, run.keys, [
    `${log.task}.${log.attempt}`,
    log.droppedBytes,
    log.tail,
    log.runCapBytes,
    runChannel(run.namespace, run.id),
  ]);
  return answer === 1;
}

/** Attempts that one read of logs asks for: a tail may have 64 KB. */
const logsPerRead = 64;

/** What is kept of what some tasks wrote, by task, with the attempt. */
export async function readTaskLogs(
  redis: RedisClient,
  run: RunHandle,
  tasks: readonly { readonly task: { readonly number: number }; readonly attempt: number }[],
): Promise<ReadonlyMap<number, readonly (LogTail & { readonly attempt: number })[]>> {
  const logs = new Map<number, (LogTail & { attempt: number })[]>();
  const wanted = tasks.flatMap(({ task: { number }, attempt }) =>
    Array.from({ length: attempt }, (_, index) => ({ number, attempt: index + 1 })),
  );
  for (let at = 0; at < wanted.length; at += logsPerRead) {
    const page = wanted.slice(at, at + logsPerRead);
    const fields = page.map(({ number, attempt }) => `${number}.${attempt}`);
    const found = await redis.hmgetBuffer(run.names.logs, ...fields);
    for (const [index, { number, attempt }] of page.entries()) {
      const log = decodeLog(found[index] ?? null);
      if (log === null) continue;
      const own = logs.get(number) ?? [];
      logs.set(number, own);
      own.push({ ...log, attempt });
    }
  }
  return logs;
}

/** Null where the attempt wrote nothing, or nothing was kept. */
export async function readLog(
  redis: RedisClient,
  run: RunHandle,
  task: number,
  attempt: number,
): Promise<LogTail | null> {
  const raw = await redis.hgetBuffer(run.names.logs, `${task}.${attempt}`);
  return decodeLog(raw);
}

function decodeLog(raw: Buffer | null): LogTail | null {
  if (raw === null || raw.length < 8) return null;
  return { droppedBytes: raw.readDoubleLE(0), tail: raw.subarray(8) };
}
