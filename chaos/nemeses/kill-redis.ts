import { setTimeout as sleep } from 'node:timers/promises';
import type { Nemesis } from '../nemesis.ts';

/** Redis dies and comes back with its append-only file, mostly at once, now and then after a lease. */
export const killRedis: Nemesis = {
  name: 'kill-redis',
  weight: 1.2,
  async strike({ cluster, random, faults, until }) {
    while (Date.now() < until) {
      await sleep(random.between(800, 2_000));
      const awayMs = random.chance(0.1) ? 10_000 : random.between(0, 500);
      await faults.during({ fault: 'kill', target: 'redis', pid: null }, async () => {
        await cluster.redis.kill();
        await sleep(awayMs);
        await cluster.redis.start();
      });
    }
  },
};
