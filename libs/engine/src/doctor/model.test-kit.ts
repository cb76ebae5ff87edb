import { type RedisClient, stateCode } from '@runnel/store';
import { type PlaceEnd, type StoreDriver, settlementOf } from '@runnel/store/store-driver';
import { examineRun } from './examine.ts';

/** One look, without a second. A claim that ends the last task leaves the end to the next turn. */
export async function kindsIn(
  client: RedisClient,
  driver: StoreDriver,
): Promise<readonly string[]> {
  const jobs = { findLost: async () => [] };
  const context = { redis: client, namespace: driver.namespace, jobs, now: () => 1 };
  const { findings } = await examineRun(context, driver.run.id);
  const wrong = findings.filter(({ kind }) => kind !== 'end-missed');
  return wrong.map(({ kind, task, detail }) => `${kind} ${task} ${detail}`);
}

/** Carries out one open delivery, or a part of it, and releases what is delayed. */
export async function play(
  driver: StoreDriver,
  graph: readonly { readonly attempts: readonly string[]; readonly retries: number }[],
  { draw, starts }: { readonly draw: (n: number) => number; readonly starts: number },
): Promise<void> {
  const open = await driver.deliveries();
  const one = open[draw(Math.max(1, open.length))];
  if (one !== undefined) {
    const claimed = await driver.claim(one.carrier, starts);
    if (claimed.kind === 'claimed') {
      const { delivery } = claimed;
      const ends = delivery.ids.flatMap((id, place): PlaceEnd[] => {
        if (!delivery.open[place] || draw(4) === 0) return [];
        const attempt = delivery.attempts[place] ?? 1;
        const node = graph[id];
        if (node?.attempts[Math.min(attempt, node.attempts.length) - 1] !== 'failed') {
          return [{ place, code: stateCode.succeeded }];
        }
        if (attempt > node.retries) return [{ place, code: stateCode.failed }];
        return [{ place, code: stateCode.delayed, due: 1 }];
      });
      await driver.settle([settlementOf(delivery, ends)], 3, 1 + draw(6));
    }
  }
  if (draw(3) > 0) return;
  const times = await driver.redis.zrange(driver.run.names.times, '0', '-1');
  const own = times.filter((member) => member.split(':')[1] === driver.run.id);
  await driver.release(own.map((member) => Number(member.split(':')[2])));
}
