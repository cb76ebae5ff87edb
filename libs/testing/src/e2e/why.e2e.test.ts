import { createClient } from '@runnel/client';
import { expect, test } from 'vitest';
import { Stack } from '../stack.ts';
import { runCli } from './run-cli.ts';
import { waitFor, waitForEnd } from './wait-for.ts';

/** What nobody serves, what waits for it, what is tried again in an hour, and what failed for good. */
const spec = {
  name: 'stuck',
  tasks: [
    { class: 'lonely', executor: 'noop', pool: 'gpu' },
    { class: 'behind', executor: 'noop', parents: ['lonely'] },
    {
      class: 'again',
      details: { command: ['sh', '-c', 'echo no luck; exit 7'] },
      retries: { limit: 3, backoff: '1h', maxDelay: '1h' },
    },
    { class: 'broken', details: { command: ['sh', '-c', 'echo the reason >&2; exit 3'] } },
    { class: 'next', executor: 'noop', parents: ['broken'] },
    { class: 'last', executor: 'noop', parents: ['next'] },
  ],
};

test('why tells what a run and its tasks wait for, and what failed first', async () => {
  await using stack = await Stack.start({
    api: true,
    env: { RUNNEL_CONCURRENCY: '2', RUNNEL_KNOWN_POOLS: 'default,gpu' },
  });
  const client = createClient({ url: stack.apiUrl });
  const { id } = await client.submitRun({ value: spec });
  await waitFor(30_000, async () => {
    const { counts } = await client.getRun(id);
    const isThere = counts['upstream-failed'] === 2 && counts.delayed === 1 && counts.queued === 1;
    return isThere ? { done: true } : { notYet: counts };
  });

  const [run, lonely, behind, again, last] = await Promise.all([
    client.why(id),
    client.why(id, 'lonely'),
    client.why(id, 'behind'),
    client.why(id, 'again'),
    client.why(id, 'last'),
  ]);
  const [textOfRun, textOfTask] = await Promise.all([
    runCli(stack.apiUrl, 'why', id),
    runCli(stack.apiUrl, 'why', id, 'last'),
  ]);

  expect(run.reasons.map(({ code, count }) => [code, count])).toEqual([
    ['pool-unserved', 1],
    ['delayed', 1],
    ['parents', 1],
  ]);
  expect(lonely).toMatchObject({ subject: { run: id, task: { id: 'lonely' } }, state: 'queued' });
  expect(lonely.reasons).toMatchObject([{ code: 'pool-unserved' }]);
  expect(lonely.reasons[0]?.detail).toContain('no living worker serves pool gpu');
  expect(behind.reasons).toMatchObject([
    { code: 'parents', tasks: [{ id: 'lonely', state: 'queued' }] },
  ]);
  expect(again.reasons).toMatchObject([{ code: 'delayed' }]);
  expect(again.reasons[0]?.detail).toMatch(/^attempt 2 of 4 starts at .*attempt 1 failed .*code 7/);
  expect(again.reasons[0]?.until).toBeDefined();
  expect(last.summary).toBe(
    'task last is upstream-failed: 1 task that it needs failed: broken (by way of next)',
  );
  expect(last.reasons.map(({ code }) => code)).toEqual(['upstream-failed', 'failed']);
  expect(last.reasons[1]?.detail).toMatch(/^broken: attempt 1 failed on worker .*code 3/);
  expect(textOfRun.text).toContain('no living worker serves pool gpu');
  expect(textOfTask.text.split('\n')[0]).toBe(last.summary);
});

test('why of a run that failed names the failed tasks by class', async () => {
  await using stack = await Stack.start({ api: true, env: { RUNNEL_CONCURRENCY: '2' } });
  const client = createClient({ url: stack.apiUrl });
  const { id } = await client.submitRun({
    value: {
      parameters: { N: [1, 2, 3] },
      tasks: [
        { class: 'part', details: { command: ['sh', '-c', 'exit {{N}}'] } },
        { class: 'sum', executor: 'noop', parents: ['part'] },
      ],
    },
  });
  await waitForEnd(client, id);

  const why = await client.why(id);

  expect(why.reasons.map(({ code, count }) => [code, count])).toEqual([
    ['failed', 3],
    ['upstream-failed', 1],
  ]);
  expect(why.summary).toContain('3 tasks of class part failed, the first: part:N=1: attempt 1');
  expect(why.reasons[0]?.remedy).toContain(`runnel logs ${id} part:N=1`);
});
