import { setTimeout as sleep } from 'node:timers/promises';
import type { Cluster } from 'ioredis';
import type { Argument } from './script.ts';
import { groupByNode } from './slots.ts';

/** Between two looks when nothing came: short at first, so that what is busy stays quick. */
const firstPauseMs = 2;
/** An idle listener of 32 shards and three nodes then needs about 7 % of a core (2 % without Cluster). */
const longestPauseMs = 32;
/** Between two questions which node has which slots. */
const learnEveryMs = 250;

/**
 * Sends a command for each shard, in one pipeline a node, until one brings something or the time is up.
 * A shard whose node does not answer brings nothing; where none answers it throws.
 */
export async function pollNodes(
  cluster: Cluster,
  shards: readonly number[],
  forMs: number,
  commandOf: (shard: number) => readonly Argument[],
): Promise<readonly unknown[]> {
  const giveUpAt = performance.now() + forMs;
  for (let pauseMs = firstPauseMs; ; pauseMs = Math.min(longestPauseMs, pauseMs * 2)) {
    const found = await askNodes(cluster, shards, commandOf);
    if (found.length > 0 || performance.now() + pauseMs > giveUpAt) return found;
    await sleep(pauseMs);
  }
}

async function askNodes(
  cluster: Cluster,
  shards: readonly number[],
  commandOf: (shard: number) => readonly Argument[],
): Promise<readonly unknown[]> {
  const groups = groupByNode(cluster, shards, (shard) => `r${shard}`);
  const settled = await Promise.allSettled(
    groups.map(async (group) => {
      const pipeline = cluster.pipeline();
      for (const shard of group) {
        const [name = '', ...args] = commandOf(shard);
        pipeline.callBuffer(String(name), ...args);
      }
      return (await pipeline.exec()) ?? [];
    }),
  );
  const replies = settled.flatMap((one) => (one.status === 'fulfilled' ? one.value : []));
  const failure =
    settled.find((one) => one.status === 'rejected')?.reason ??
    replies.find(([error]) => error !== null)?.[0];
  if (failure !== undefined) learnSlots(cluster);
  const answered = replies.filter(([error]) => error === null);
  if (answered.length === 0 && failure !== undefined) throw failure;
  return answered.flatMap(([, reply]) => (reply === null ? [] : [reply]));
}

/** When each connection last asked which node has which slots. */
const askedAt = new WeakMap<Cluster, number>();

/**
 * Asks which node has which slots. ioredis does so only where it follows a redirection, and it follows none of a
 * pipeline of which some commands were answered, and sends none whose keys it takes for those of several nodes: what it
 * has missed of a failover it would never learn.
 */
function learnSlots(cluster: Cluster): void {
  const now = performance.now();
  if (now - (askedAt.get(cluster) ?? Number.NEGATIVE_INFINITY) < learnEveryMs) return;
  askedAt.set(cluster, now);
  cluster.refreshSlotsCache();
}
