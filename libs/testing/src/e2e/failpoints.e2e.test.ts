import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { createClient } from '@runnel/client';
import { expect, test } from 'vitest';
import { type App, Stack } from '../stack.ts';
import { readJournal, waitForEnd } from './wait-for.ts';

const functions = fileURLToPath(new URL('../fixtures/functions.ts', import.meta.url));

/** Points that an ordinary run with retries passes, and whose process they take down. */
const points: readonly (readonly [string, App])[] = [
  ['claim.before', 'worker'],
  ['claim.after', 'worker'],
  ['execute.before-report', 'worker'],
  ['report.before-append', 'worker'],
  ['report.after-append', 'worker'],
  ['settle.before', 'worker'],
  ['settle.after', 'worker'],
  ['outbox.before-add', 'worker'],
  ['outbox.after-add', 'worker'],
  ['outbox.after-clear', 'worker'],
  ['settle.before', 'listener'],
  ['settle.after', 'listener'],
  ['outbox.before-add', 'listener'],
  ['outbox.after-add', 'listener'],
  ['outbox.after-clear', 'listener'],
  ['ack.before', 'listener'],
  ['ack.after', 'listener'],
  ['times.before-release', 'listener'],
  ['times.after-release', 'listener'],
];

const width = 30;

/**
 * Three layers; every third task of the first fails once. They take long enough that outcomes go through
 * the stream before their delivery ends, and are settled by the listener: its last ones settle themselves.
 */
function specOf(journal: string): unknown {
  const tasks = Array.from({ length: 3 * width }, (_, id) => ({
    class: `layer${Math.floor(id / width)}`,
    id: `t${id}`,
    executor: 'function',
    retries: { limit: 1, backoff: '1ms' },
    details: {
      name: 'act',
      input: {
        journal,
        id,
        ms: 12,
        attempts: id < width && id % 3 === 0 ? ['failed', 'succeeded'] : ['succeeded'],
      },
    },
    ...(id < width
      ? {}
      : {
          parents: [
            { id: `t${id - width}` },
            { id: `t${id - width + (id % width === 0 ? 1 : -1)}` },
          ],
        }),
  }));
  return { tasks };
}

test.concurrent.each(points)(
  'a crash at %s of a %s leaves a run that ends right',
  async (point, app) => {
    const env = { RUNNEL_FUNCTIONS: functions, RUNNEL_CONCURRENCY: '2' };
    await using stack = await Stack.start({
      api: true,
      env,
      listeners: app === 'listener' ? 0 : 1,
      workers: app === 'worker' ? 0 : 1,
    });
    const client = createClient({ url: stack.apiUrl });
    // Delayed tasks come back together: there may be no second time.
    const hit = point.startsWith('times.') ? 1 : 2;
    const armed = await stack.add(app, { RUNNEL_FAILPOINTS: `${point}=crash@${hit}` });
    const journal = join(stack.dir, 'journal');

    const { id } = await client.submitRun({ value: specOf(journal) });
    await armed.gone;
    await stack.add(app);
    const run = await waitForEnd(client, id, 60_000);

    expect(run.state).toBe('succeeded');
    expect(run.counts.succeeded).toBe(3 * width);
    const ran = new Set(readJournal(journal).map((line) => line.split(' ')[0]));
    expect(ran.size).toBe(3 * width);
  },
);

const small = { tasks: [{ class: 'a', executor: 'noop' }] };
/** More than one call of Redis stores: it goes in pages. */
const large = {
  parameters: { N: { from: 1, to: 3_000 } },
  tasks: [{ class: 'a', executor: 'noop', details: { output: { n: '{{N}}' } } }],
};

/** What is there after a crash, and what comes of the same request then. */
const submitPoints = [
  ['submit.after-create', 'large', large, 0, 'in flight'],
  ['submit.after-page', 'large', large, 0, 'in flight'],
  ['submit.before-seal', 'large', large, 0, 'in flight'],
  ['submit.after-seal', 'large', large, 1, 'the same'],
  ['submit.before-seal', 'small', small, 0, 'new'],
  ['submit.after-seal', 'small', small, 1, 'the same'],
] as const;

test.each(submitPoints)(
  'a crash of the api at %s of a %s run leaves nothing half done: the same key is one run',
  async (point, _, value, runCount, next) => {
    await using stack = await Stack.start({ listeners: 1, workers: 1 });
    const armed = await stack.add('api', { RUNNEL_FAILPOINTS: `${point}=crash` });
    const options = { idempotencyKey: 'one' };

    await expect(
      createClient({ url: stack.apiUrl }).submitRun({ value }, options),
    ).rejects.toThrow();
    await armed.gone;
    await stack.add('api');
    const client = createClient({ url: stack.apiUrl });
    const { runs } = await client.listRuns();
    const again = client.submitRun({ value }, options);

    expect(runs).toHaveLength(runCount);
    if (next === 'in flight') await expect(again).rejects.toThrow('is being submitted under');
    else expect((await again).isNew).toBe(next === 'new');
  },
);
