import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { Nemesis } from '../nemesis.ts';

const preload = fileURLToPath(new URL('../shifted-clock.ts', import.meta.url));

/**
 * Beyond a renewal, a minute and a half, an hour. Forwards only as far as a run may take longer: who settles a failed try
 * says when the next is due, by its own clock.
 */
const jumpsMs = [12_000, -12_000, -90_000, -3_600_000];
const app = ['listener', 'worker'] as const;

/** A listener and a worker beside the others whose clocks jump, each on its own. */
export const clock: Nemesis = {
  name: 'clock',
  async strike({ cluster, random, faults, until }) {
    const jumpers = await Promise.all(
      app.map(async (one) => {
        const file = join(cluster.dir, `clock-of-${one}`);
        writeFileSync(file, '0');
        const env = { CHAOS_CLOCK: file, NODE_OPTIONS: `--import=${preload}` };
        return { file, member: await cluster.add(one, env) };
      }),
    );
    do {
      for (const { file, member } of jumpers) {
        const ms = random.pick(jumpsMs);
        const fault = `clock off by ${ms / 1_000} s`;
        await faults.during({ fault, target: member.app, pid: member.pid }, async () => {
          writeFileSync(file, String(ms));
          await sleep(random.between(1_000, 4_000));
          writeFileSync(file, '0');
        });
      }
    } while (Date.now() < until);
    for (const { member } of jumpers) await cluster.remove(member);
  },
};
