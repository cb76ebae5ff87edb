import { setTimeout as sleep } from 'node:timers/promises';
import type { Nemesis } from '../nemesis.ts';

/** One and a half leases: others have taken over when it goes on. */
const frozenMs = 12_000;

/** A worker and a listener stand still and then go on as if nothing had happened. */
export const freeze: Nemesis = {
  name: 'freeze',
  async strike({ cluster, random, faults, until }) {
    do {
      await sleep(random.between(500, 2_000));
      const victims = [random.pick(cluster.of('worker')), random.pick(cluster.of('listener'))];
      await Promise.all(
        victims.map(async (victim) => {
          const { app, pid } = victim;
          await faults.during({ fault: 'freeze', target: app, pid }, async () => {
            victim.signal('SIGSTOP');
            await sleep(frozenMs);
            victim.signal('SIGCONT');
          });
        }),
      );
    } while (Date.now() < until);
    await sleep(2_000);
  },
};
