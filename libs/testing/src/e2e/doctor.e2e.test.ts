import { createClient, type WireFinding } from '@runnel/client';
import { connectRedis, runHandle } from '@runnel/store';
import { expect, test } from 'vitest';
import { Stack } from '../stack.ts';
import { waitFor, waitForEnd } from './wait-for.ts';

/** Layers of tasks that do nothing; every class waits for its own column of the layer before. */
function layers(width: number, depth: number): unknown {
  const names = Array.from({ length: depth }, (_, index) => `layer${index}`);
  return {
    parameters: { N: { from: 1, to: width } },
    defaults: { executor: 'noop' },
    tasks: [
      ...names.map((name, index) => ({
        class: name,
        parameters: ['N'],
        ...(index === 0 ? {} : { parents: [{ class: names[index - 1], match: true }] }),
      })),
      { class: 'last', parents: [names.at(-1)] },
    ],
  };
}

test('a busy run of 20,000 tasks is healthy, however often it is looked at', async () => {
  await using stack = await Stack.start({ api: true, env: { RUNNEL_CONCURRENCY: '2' } });
  const client = createClient({ url: stack.apiUrl });
  const { id } = await client.submitRun({ value: layers(2_000, 10) });

  const found: WireFinding[] = [];
  let looks = 0;
  const look = async (): Promise<void> => {
    found.push(...(await client.askDoctor(looks % 4 === 3 ? {} : { run: id })).findings);
    looks++;
  };
  const run = await waitFor(100_000, async () => {
    await look();
    const now = await client.getRun(id);
    return now.state === 'running' ? { notYet: now.counts } : { done: now };
  });
  await look();

  expect(run.state).toBe('succeeded');
  expect(looks).toBeGreaterThan(3);
  expect(found).toEqual([]);
});

test('a run that was damaged while it goes on is mended while it goes on, and ends right', async () => {
  await using stack = await Stack.start({ api: true, env: { RUNNEL_CONCURRENCY: '2' } });
  const client = createClient({ url: stack.apiUrl });
  const { id } = await client.submitRun({ value: layers(1_000, 10) });
  await using redis = Object.assign(
    connectRedis(stack.redis.url, () => undefined),
    {
      [Symbol.asyncDispose]: () => redis.quit().then(() => undefined),
    },
  );
  const { names } = runHandle('runnel', id);
  await waitFor(60_000, async () => {
    const { counts } = await client.getRun(id);
    return counts.succeeded > 500 ? { done: true } : { notYet: counts };
  });

  await redis.hincrby(names.meta, 'fin', -7);
  await redis.setrange(names.waiting, 10_000 * 4, Buffer.from([0, 0, 255, 255]));
  const report = await client.askDoctor({ run: id, repairs: true });
  const run = await waitForEnd(client, id);

  const kinds = new Set(report.findings.map(({ kind }) => kind));
  expect([...kinds].sort()).toEqual(['count-wrong', 'waiting-wrong']);
  expect(report).toMatchObject({ left: 0 });
  expect(run.state).toBe('succeeded');
  expect(run.counts.succeeded).toBe(10_001);
});
