import { setTimeout as sleep } from 'node:timers/promises';
import type { Nemesis, Strike } from '../nemesis.ts';

/** Shorter than a worker's lock, and longer. */
const fullForMs = [4_000, 12_000] as const;

/** Redis is full for a while, then there is room again. */
export const redisFull: Nemesis = {
  name: 'redis-full',
  weight: 0.8,
  async strike(strike) {
    const { random, faults, until } = strike;
    for (let time = 0; time < fullForMs.length || Date.now() < until; time++) {
      await sleep(random.between(2_000, 3_000));
      await faults.during({ fault: 'full', target: 'redis', pid: null }, () =>
        fillFor(strike, fullForMs[time % fullForMs.length] ?? 0),
      );
    }
  },
};

async function fillFor({ cluster }: Strike, ms: number): Promise<void> {
  const info = String(await cluster.redis.call('INFO', 'memory'));
  const used = Number(/^used_memory:(\d+)/m.exec(info)?.[1] ?? 0);
  await cluster.redis.call('CONFIG', 'SET', 'maxmemory', String(Math.floor(used * 0.98)));
  await sleep(ms);
  await cluster.redis.call('CONFIG', 'SET', 'maxmemory', '0');
}
