import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { createClient } from '@runnel/client';
import { expect, test } from 'vitest';
import { type App, Stack } from '../stack.ts';
import { ordinaryPoints, submitPoints } from './failpoint-cases.ts';
import { readJournal, waitForEnd } from './wait-for.ts';

const functions = fileURLToPath(new URL('../fixtures/functions.ts', import.meta.url));

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

/** Everything but the kind of process that the test adds by itself, armed. */
function startWithout(app: App): Promise<Stack> {
  return Stack.start({
    api: true,
    env: { RUNNEL_FUNCTIONS: functions, RUNNEL_CONCURRENCY: '2' },
    listeners: app === 'listener' ? 0 : 1,
    workers: app === 'worker' ? 0 : 1,
  });
}

test.concurrent.each(ordinaryPoints)(
  'a crash at %s of a %s leaves a run that ends right',
  async (point, app) => {
    await using stack = await startWithout(app);
    const client = createClient({ url: stack.apiUrl });
    // Delayed tasks come back together: there may be no second time.
    const hit = point.startsWith('times.') || point.startsWith('turn.') ? 1 : 2;
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

/** A small run is stored by one call: it passes only the points around its sealing. */
const submissions = [
  ...submitPoints.map((point) => [point, 'large', large] as const),
  ...(['submit.before-seal', 'submit.after-seal'] as const).map(
    (point) => [point, 'small', small] as const,
  ),
];

test.concurrent.each(submissions)(
  'a crash of the api at %s of a %s run leaves nothing half done: the same key is one run',
  async (point, size, value) => {
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

    const isSealed = point.startsWith('submit.after-seal');
    expect(runs).toHaveLength(isSealed ? 1 : 0);
    // Where nothing was written yet, the key is free.
    if (isSealed || point === 'submit.before-create' || size === 'small') {
      const { id, isNew } = await again;
      expect(isNew).toBe(!isSealed);
      expect((await waitForEnd(client, id)).state).toBe('succeeded');
    } else {
      await expect(again).rejects.toThrow('is being submitted under the same Idempotency-Key');
    }
  },
);

/** Points behind writes that an ordinary run passes; one process loses all of these replies. */
const lostReplies: Readonly<Record<string, readonly string[]>> = {
  worker: ['claim.after', 'report.after-append', 'settle.after@3', 'outbox.after-add@2'],
  listener: [
    'turn.after',
    'settle.after@2',
    'outbox.after-add',
    'ack.after',
    'times.after-release',
  ],
};

test.concurrent.each(['worker', 'listener'] as const)(
  'replies that a %s loses, one after each of its writes, change nothing',
  async (app) => {
    await using stack = await startWithout(app);
    const client = createClient({ url: stack.apiUrl });
    const armed = (lostReplies[app] ?? []).map((point) => {
      const [name, hit = '1'] = point.split('@');
      return `${name}=lose-reply@${hit}`;
    });
    await stack.add(app, { RUNNEL_FAILPOINTS: armed.join(',') });

    const { id } = await client.submitRun({ value: specOf(join(stack.dir, 'journal')) });
    const run = await waitForEnd(client, id, 60_000);

    expect(run.state).toBe('succeeded');
    expect(run.counts.succeeded).toBe(3 * width);
    expect((await client.askDoctor({ run: id })).findings).toEqual([]);
  },
);
