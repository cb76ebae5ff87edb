import { setTimeout as sleep } from 'node:timers/promises';
import type { Redis } from 'ioredis';
import { killMembers } from '../kill-members.ts';
import type { Nemesis } from '../nemesis.ts';
import { describeMs } from '../percentile.ts';

const shardCount = 32;
const targetMs = 15_000;

/** Listeners die; how long their shards are without one is measured at each of the kills. */
export const killListener: Nemesis = {
  name: 'kill-listener',
  weight: 1.2,
  async strike(strike) {
    const redis = strike.cluster.redis.connect();
    const waits: Promise<number>[] = [];
    await killMembers(strike, {
      app: 'listener',
      pauseMs: [800, 2_200],
      afterKill: ({ pid, at }) => waits.push(waitForOwners(redis, pid).then((end) => end - at)),
    });
    const tookMs = await Promise.all(waits);
    redis.disconnect();
    strike.note(`shards of a dead listener were taken over after ${describeMs(tookMs)}`);
    const slow = tookMs.filter((ms) => ms > targetMs);
    if (slow.length > 0) strike.violate('shards-within-15-s', `took ${describeMs(slow)}`);
  },
};

/** Resolves with the time at which no lease names the dead process any more, and each shard has one. */
async function waitForOwners(redis: Redis, deadPid: number): Promise<number> {
  const leases = Array.from({ length: shardCount }, (_, shard) => `runnel:{r${shard}}:lease`);
  const giveUpAt = Date.now() + 60_000;
  const lost = new Set(leases);
  while (lost.size > 0 && Date.now() < giveUpAt) {
    // Others may die meanwhile: each shard counts as taken over once it was with somebody else.
    const owners = await redis.mget(leases);
    owners.forEach((owner, shard) => {
      if (owner !== null && !owner.includes(`.${deadPid}.`)) lost.delete(leases[shard] ?? '');
    });
    await sleep(100);
  }
  return Date.now();
}
