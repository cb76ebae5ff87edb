import { attemptBytes, type RedisClient, type RunInfo, stateCode } from '@runnel/store';
import { bucketOf, type DurationCounts } from './duration-histogram.ts';
import { groupsOfNodes } from './node-groups.ts';

/** What was measured of one class. Sums over runs are as good as one of all. */
export interface ClassStatistics {
  readonly class: string;
  readonly tasks: number;
  /** That have ended, however. */
  readonly attempts: number;
  readonly failedAttempts: number;
  /** Tasks that needed more than one attempt. */
  readonly retriedTasks: number;
  /** Of attempts that succeeded. */
  readonly durations: DurationCounts;
}

interface OpenStatistics {
  readonly class: string;
  tasks: number;
  attempts: number;
  failedAttempts: number;
  retriedTasks: number;
  readonly durations: Record<string, number>;
}

/** One read: 13 bytes a node. */
const nodesPerPage = 32_768;
const fieldsPerScan = 1_000;

/**
 * Reads what the tasks of a run have come to so far, in pages, in the order of the spec. Classes of a run
 * that goes on are counted as they are read, page by page.
 */
export async function readClassStatistics(
  redis: RedisClient,
  info: RunInfo,
): Promise<readonly ClassStatistics[]> {
  const byClass = new Map<string, OpenStatistics>();
  // By group; null for barriers.
  const byGroup = (await info.groups()).map(({ kind, class: name }) => {
    if (kind === 'barrier') return null;
    const own = byClass.get(name) ?? openStatistics(name);
    byClass.set(name, own);
    return own;
  });
  const groupRanges = await info.ranges();
  const nodeGroups = groupsOfNodes({ groupRanges, nodeCount: info.facts.nodeCount });
  const classOf = (node: number): OpenStatistics | null => byGroup[nodeGroups[node] ?? 0] ?? null;
  await countSuccesses(redis, info, classOf);
  await countFailures(redis, info, classOf);
  await countRetried(redis, info, classOf);
  return [...byClass.values()];
}

function openStatistics(name: string): OpenStatistics {
  return { class: name, tasks: 0, attempts: 0, failedAttempts: 0, retriedTasks: 0, durations: {} };
}

async function countSuccesses(
  redis: RedisClient,
  info: RunInfo,
  classOf: (node: number) => OpenStatistics | null,
): Promise<void> {
  const { handle, nodeCount } = info.facts;
  for (let from = 0; from < nodeCount; from += nodesPerPage) {
    const to = Math.min(nodeCount, from + nodesPerPage);
    const [states, attempts] = await Promise.all([
      redis.getrangeBuffer(handle.names.state, from, to - 1),
      redis.getrangeBuffer(handle.names.attempts, from * attemptBytes, to * attemptBytes - 1),
    ]);
    for (let node = from; node < to; node++) {
      const own = classOf(node);
      if (own === null || states[node - from] === stateCode.retired) continue;
      own.tasks++;
      const at = (node - from) * attemptBytes;
      if (states[node - from] !== stateCode.succeeded || at + attemptBytes > attempts.length)
        continue;
      own.attempts++;
      add(own.durations, bucketOf(attempts.readFloatLE(at + 4)));
    }
  }
}

/** Fields are `id.attempt`. */
async function countFailures(
  redis: RedisClient,
  info: RunInfo,
  classOf: (node: number) => OpenStatistics | null,
): Promise<void> {
  for await (const field of scanFields(redis, info.facts.handle.names.failures)) {
    const own = classOf(Number.parseInt(field, 10));
    if (own === null) continue;
    own.attempts++;
    own.failedAttempts++;
  }
}

async function countRetried(
  redis: RedisClient,
  info: RunInfo,
  classOf: (node: number) => OpenStatistics | null,
): Promise<void> {
  for await (const field of scanFields(redis, info.facts.handle.names.tries)) {
    const own = classOf(Number(field));
    if (own !== null) own.retriedTasks++;
  }
}

/** The fields of a hash, each once. */
async function* scanFields(redis: RedisClient, key: string): AsyncGenerator<string> {
  const told = new Set<string>();
  let cursor = '0';
  do {
    const [next, found] = await redis.hscan(key, cursor, 'COUNT', fieldsPerScan);
    cursor = next;
    for (let at = 0; at < found.length; at += 2) {
      const field = found[at] ?? '';
      if (told.has(field)) continue;
      told.add(field);
      yield field;
    }
  } while (cursor !== '0');
}

function add(counts: Record<string, number>, bucket: number): void {
  counts[bucket] = (counts[bucket] ?? 0) + 1;
}
