import { z } from 'zod';
import { storeKey } from './keys.ts';
import type { RedisClient } from './script.ts';

const workerRecord = z.object({
  name: z.string(),
  number: z.number(),
  host: z.string(),
  pid: z.number(),
  version: z.string(),
  startedAt: z.number(),
  seenAt: z.number(),
  /** Queue -> deliveries that it takes at once. */
  slots: z.record(z.string(), z.number()),
  executors: z.array(z.string()),
  /** Deliveries that it has claimed and not ended. */
  running: z.number(),
  isStopping: z.boolean(),
});

/** A worker as it last said of itself. */
export type WorkerRecord = z.infer<typeof workerRecord>;

/** A worker that gave no sign for so long counts as gone: two missed lock renewals. */
export const workerGoneMs = 10_000;
const numbers = 65_536;

/** A number for attempts' records: 16 bits, so a name may be given away after 65,536 starts. */
export async function takeWorkerNumber(
  redis: RedisClient,
  namespace: string,
  name: string,
): Promise<number> {
  const key = storeKey(namespace, 'workerNumbers');
  const number = (await redis.hincrby(key, 'next', 1)) % numbers;
  await redis.hset(key, String(number), name);
  return number;
}

export async function readWorkerNames(
  redis: RedisClient,
  namespace: string,
  which: readonly number[],
): Promise<ReadonlyMap<number, string>> {
  const unique = [...new Set(which)];
  if (unique.length === 0) return new Map();
  const names = await redis.hmget(storeKey(namespace, 'workerNumbers'), ...unique.map(String));
  return new Map(unique.map((number, index) => [number, names[index] ?? `worker ${number}`]));
}

export async function signOn(
  redis: RedisClient,
  namespace: string,
  worker: WorkerRecord,
): Promise<void> {
  await redis.hset(storeKey(namespace, 'workers'), worker.name, JSON.stringify(worker));
}

export async function signOff(redis: RedisClient, namespace: string, name: string): Promise<void> {
  await redis.hdel(storeKey(namespace, 'workers'), name);
}

/** Workers that gave a sign within `workerGoneMs`; records of those that are long gone are removed. */
export async function readWorkers(
  redis: RedisClient,
  namespace: string,
  now: number,
): Promise<readonly WorkerRecord[]> {
  const key = storeKey(namespace, 'workers');
  const all = Object.values(await redis.hgetall(key)).flatMap((raw) => {
    const parsed = workerRecord.safeParse(JSON.parse(raw));
    return parsed.success ? [parsed.data] : [];
  });
  const gone = all.filter((worker) => now - worker.seenAt > workerGoneMs);
  if (gone.length > 0) await redis.hdel(key, ...gone.map((worker) => worker.name));
  return all.filter((worker) => now - worker.seenAt <= workerGoneMs);
}

/** Slots of each queue over all workers that are alive and not stopping. */
export function sumSlots(workers: readonly WorkerRecord[]): ReadonlyMap<string, number> {
  const slots = new Map<string, number>();
  for (const worker of workers) {
    if (worker.isStopping) continue;
    for (const [queue, count] of Object.entries(worker.slots)) {
      slots.set(queue, (slots.get(queue) ?? 0) + count);
    }
  }
  return slots;
}
