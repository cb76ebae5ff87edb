import { setTimeout as sleep } from 'node:timers/promises';
import { defineFunction } from '@runnel/executors';
import { z } from 'zod';
import { Journal, now } from './journal.ts';

// What the tasks of the workloads call. Each call is written down, so that a run can be shown to have called each task
// once. A function has no other place for what lasts from task to task than its module.
const journal = new Journal();

/** As little as a function can do. */
export const work = defineFunction({
  name: 'work',
  input: z.int(),
  run(task) {
    const startedAt = now();
    journal.record(task, startedAt, now());
  },
});

/** Waits without computing. */
export const wait = defineFunction({
  name: 'wait',
  input: z.object({ task: z.int(), ms: z.number() }),
  async run({ task, ms }) {
    const startedAt = now();
    await sleep(ms);
    journal.record(task, startedAt, now());
  },
});
