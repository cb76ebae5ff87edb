import { type RedisClient, readTimesOf, stateCode } from '@runnel/store';
import type { Findings } from './finding.ts';
import type { RunLook } from './run-look.ts';

const tasksPerRead = 1_000;

/** Delayed tasks: each waits for a time. */
export async function checkDelayed(
  redis: RedisClient,
  { facts, now }: RunLook,
  findings: Findings,
): Promise<void> {
  if (now.meta['halt'] !== undefined || now.meta['state'] !== 'running') return;
  const { namespace, id: runId, names } = facts.handle;
  for (let at = now.states.indexOf(stateCode.delayed); at >= 0; ) {
    const page: number[] = [];
    for (
      ;
      at >= 0 && page.length < tasksPerRead;
      at = now.states.indexOf(stateCode.delayed, at + 1)
    )
      page.push(at);
    const times = await readTimesOf(redis, namespace, runId, page);
    for (const task of page.filter((_, index) => times[index] === null)) {
      // One that was released meanwhile is not delayed any more.
      const state = await redis.getrangeBuffer(names.state, task, task);
      if (state[0] !== stateCode.delayed) continue;
      findings.add('delayed-lost', 'it waits for no time', {
        task,
        mend: { by: 'times', id: task },
      });
    }
  }
}
