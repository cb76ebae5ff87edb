import { setTimeout as sleep } from 'node:timers/promises';
import type { Member } from '../cluster.ts';
import type { Nemesis } from '../nemesis.ts';
import type { Toxics } from '../redis-proxy.ts';

interface Trouble {
  readonly name: string;
  readonly toxics: Partial<Toxics> | null;
  readonly ms: number;
}

const troubles: readonly Trouble[] = [
  { name: 'latency', toxics: { latencyMs: 150 }, ms: 4_000 },
  { name: 'reset', toxics: null, ms: 0 },
  { name: 'black-hole', toxics: { isBlackHole: true }, ms: 12_000 },
  { name: 'slow', toxics: { bytesPerSecond: 60_000 }, ms: 4_000 },
  { name: 'reset', toxics: null, ms: 0 },
  { name: 'black-hole', toxics: { isBlackHole: true }, ms: 3_000 },
];

/** The way to Redis is disturbed, of one process or of all. */
export const network: Nemesis = {
  name: 'network',
  weight: 1.3,
  options: () => ({ isProxied: true }),
  async strike({ cluster, random, faults, until }) {
    for (let turn = 0; turn < troubles.length || Date.now() < until; turn++) {
      await sleep(random.between(1_000, 2_000));
      const trouble = troubles[turn % troubles.length];
      const victims = random.chance(0.3) ? cluster.members : [random.pick(cluster.members)];
      if (trouble === undefined) continue;
      await Promise.all(
        victims.map((victim) =>
          faults.during(
            {
              fault: trouble.name,
              target: victim.app === 'worker' ? 'network' : victim.app,
              pid: victim.pid,
            },
            () => disturb(victim, trouble),
          ),
        ),
      );
    }
  },
};

async function disturb({ proxy }: Member, { toxics, ms }: Trouble): Promise<void> {
  if (toxics === null) return proxy?.reset();
  proxy?.set(toxics);
  await sleep(ms);
  proxy?.set({});
}
