import { setTimeout as sleep } from 'node:timers/promises';
import { type Job, Queue } from 'bullmq';
import type { Redis } from 'ioredis';
import type { Nemesis, Strike } from '../nemesis.ts';

const shardCount = 32;

/** What was copied is kept for a while, so that it also comes late and in another order. */
const mostKept = 2_000;

interface Entry {
  readonly key: string;
  readonly fields: readonly Buffer[];
}

/** Outcomes and jobs come again: at once, late and out of order. None of it may count. */
export const duplicates: Nemesis = {
  name: 'duplicates',
  weight: 0.8,
  async strike(strike) {
    const reader = strike.cluster.redis.connect();
    const writer = strike.cluster.redis.connect();
    const counts = await Promise.all([
      repeatOutcomes(strike, reader, writer),
      repeatJobs(strike, 'default'),
    ]);
    strike.note(`${counts[0]} outcome entries and ${counts[1]} jobs came again`);
    reader.disconnect();
    writer.disconnect();
  },
};

async function repeatOutcomes(strike: Strike, reader: Redis, writer: Redis): Promise<number> {
  const { random, faults, until } = strike;
  const keys = Array.from({ length: shardCount }, (_, shard) => `runnel:{r${shard}}:outcomes`);
  const positions = new Map(keys.map((key) => [key, '$']));
  const kept: Entry[] = [];
  const own = new Set<string>();
  let count = 0;
  while (Date.now() < until) {
    for (const entry of await readEntries(reader, positions, own)) {
      kept.push(entry);
      if (random.chance(0.5)) await again(entry);
    }
    if (kept.length > 0 && random.chance(0.5)) await again(random.pick(kept));
    if (kept.length > mostKept) kept.splice(0, mostKept / 2);
  }
  return count;

  async function again({ key, fields }: Entry): Promise<void> {
    const id = await writer.xadd(key, '*', ...fields);
    own.add(`${key} ${id}`);
    count++;
    faults.count++;
  }
}

/** New entries of all shards that are not our own copies. */
async function readEntries(
  reader: Redis,
  positions: Map<string, string>,
  own: Set<string>,
): Promise<readonly Entry[]> {
  const keys = [...positions.keys()];
  const reply = await reader.xreadBuffer(
    ...(['COUNT', 100, 'BLOCK', 200, 'STREAMS', ...keys, ...positions.values()] as const),
  );
  return (reply ?? []).flatMap(([name, entries]) =>
    entries.flatMap(([id, fields]) => {
      const key = name.toString();
      positions.set(key, id.toString());
      return own.delete(`${key} ${id.toString()}`) ? [] : [{ key, fields }];
    }),
  );
}

/** BullMQ keeps the last 1,000 jobs that ended: what it can have forgotten is some seconds old. */
const forgottenAfterMs = 3_000;

function isOld({ finishedOn }: Job): boolean {
  return Date.now() - (finishedOn ?? Date.now()) > forgottenAfterMs;
}

/** Jobs that ended are forgotten and added again, as by a late call of a process that was frozen. */
async function repeatJobs(
  { cluster, random, faults, until }: Strike,
  name: string,
): Promise<number> {
  const connection = cluster.redis.connect();
  const queue = new Queue(name, { connection, prefix: `runnel:{q.${name}}` });
  let count = 0;
  while (Date.now() < until) {
    await sleep(random.between(100, 400));
    const ended = await queue.getJobs(['completed', 'failed'], 0, 200);
    const active = await queue.getJobs(['active', 'waiting'], 0, 20);
    const jobs = [...ended.filter(isOld), ...active].filter((job) => job?.id !== undefined);
    if (jobs.length === 0) continue;
    const { id, data, name: title } = random.pick(jobs);
    if (id === undefined) continue;
    if (random.chance(0.7)) await queue.remove(id).catch(() => 0); // one that runs is locked
    await queue.add(title, data, { jobId: id });
    count++;
    faults.count++;
  }
  await queue.close();
  connection.disconnect();
  return count;
}
