import { runChannel } from './keys.ts';
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

/** Null where the attempt wrote nothing, or nothing was kept. */
export async function readLog(
  redis: RedisClient,
  run: RunHandle,
  task: number,
  attempt: number,
): Promise<LogTail | null> {
  const raw = await redis.hgetBuffer(run.names.logs, `${task}.${attempt}`);
  if (raw === null || raw.length < 8) return null;
  return { droppedBytes: raw.readDoubleLE(0), tail: raw.subarray(8) };
}
