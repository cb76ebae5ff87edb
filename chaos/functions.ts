import { randomUUID } from 'node:crypto';
import { appendFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { defineFunction, type FunctionContext } from '@runnel/executors';
import { z } from 'zod';

/** What tasks of the executor `function` do: each tells a journal, which is only appended to, of itself. */

const journal = z.string();

function record(
  path: string,
  event: 'start' | 'end',
  context: FunctionContext,
  more: object,
): void {
  const { run, task } = context;
  const who = { e: event, run: run.id, task: task.id, attempt: task.attempt, pid: process.pid };
  appendFileSync(path, `${JSON.stringify({ ...who, at: Date.now(), ...more })}\n`);
}

/** Ends each attempt as planned; its output is a mark that no other start of it has. */
export const work = defineFunction({
  name: 'work',
  input: z.object({
    journal,
    ms: z.number(),
    ends: z.array(z.enum(['succeeded', 'failed'])),
  }),
  async run({ journal: path, ms, ends }, context) {
    const nonce = randomUUID();
    record(path, 'start', context, { nonce, inputs: context.inputs });
    await sleep(ms);
    const end = ends[Math.min(context.task.attempt, ends.length) - 1] ?? 'succeeded';
    record(path, 'end', context, { nonce, end });
    if (end === 'failed') throw new Error('planned');
    return { task: context.task.id, nonce };
  },
});

/** Computes without yielding. */
export const busy = defineFunction({
  name: 'busy',
  input: z.object({ journal, ms: z.number() }),
  run({ journal: path, ms }, context) {
    const nonce = randomUUID();
    record(path, 'start', context, { nonce, inputs: {} });
    const until = performance.now() + ms;
    while (performance.now() < until);
    record(path, 'end', context, { nonce, end: 'succeeded' });
    return { task: context.task.id, nonce };
  },
});

/** Takes down the process that it runs in. */
export const poison = defineFunction({
  name: 'poison',
  input: z.object({ journal }),
  run({ journal: path }, context) {
    record(path, 'start', context, { nonce: randomUUID(), inputs: {} });
    process.kill(process.pid, 'SIGKILL');
  },
});
