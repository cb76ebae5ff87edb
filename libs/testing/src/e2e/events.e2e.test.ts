import { createClient, type WireEvent } from '@runnel/client';
import { expect, test } from 'vitest';
import { Stack } from '../stack.ts';
import { runCli } from './run-cli.ts';
import { waitForEnd } from './wait-for.ts';

const spec = {
  parameters: { N: { from: 1, to: 300 } },
  tasks: [
    { class: 'part', executor: 'noop', parameters: ['N'] },
    {
      class: 'next',
      executor: 'noop',
      parameters: ['N'],
      parents: [{ class: 'part', match: true }],
    },
    { class: 'broken', details: { command: ['sh', '-c', 'exit 3'] }, parents: ['next'] },
    { class: 'last', executor: 'noop', parents: ['broken'] },
  ],
};

test('each end of a task is told once, in order, also through another API after a break', async () => {
  await using stack = await Stack.start({ api: true, env: { RUNNEL_CONCURRENCY: '2' } });
  const [first] = stack.of('api');
  const client = createClient({ url: stack.apiUrl });
  const { id } = await client.submitRun({ value: spec });
  const events: WireEvent[] = [];
  for await (const event of client.followEvents(id)) {
    events.push(event);
    if (events.length === 250) break;
  }
  await first?.kill('SIGKILL');
  await stack.add('api');
  const other = createClient({ url: stack.apiUrl });

  for await (const event of other.followEvents(id, { after: 250 })) events.push(event);

  const run = await waitForEnd(other, id);
  const numbers = events.map((event) => Number(event.id));
  const ends = events.filter(({ type }) => type.startsWith('runnel.task.'));
  const position = new Map(ends.map(({ subject }, index) => [subject, index]));
  const early = Array.from({ length: 300 }, (_, index) => index + 1).filter(
    (n) => (position.get(`next:N=${n}`) ?? 0) < (position.get(`part:N=${n}`) ?? 0),
  );
  expect(run.state).toBe('failed');
  expect(numbers).toEqual(Array.from({ length: 604 }, (_, index) => index + 1));
  expect(new Set(ends.map(({ subject }) => subject)).size).toBe(602);
  expect(early).toEqual([]);
  expect(events.slice(-3).map(({ type, subject = '' }) => `${type} ${subject}`.trim())).toEqual([
    'runnel.task.failed broken',
    'runnel.task.upstream-failed last',
    'runnel.run.ended',
  ]);
});

test('watch --events prints them and ends as the run did', async () => {
  await using stack = await Stack.start({ api: true, env: { RUNNEL_CONCURRENCY: '2' } });
  const client = createClient({ url: stack.apiUrl });
  const { id } = await client.submitRun({
    value: {
      tasks: [
        { class: 'one', executor: 'sleep', details: { ms: 500 } },
        { class: 'two', details: { command: ['sh', '-c', 'exit 3'] }, parents: ['one'] },
      ],
    },
  });

  const { text, code } = await runCli(stack.apiUrl, 'watch', id, '--events');

  const lines = text
    .trim()
    .split('\n')
    .map((line) => line.slice(line.indexOf(' ') + 1));
  expect(lines).toEqual([
    'run.started',
    'task.succeeded one attempt 1',
    'task.failed two attempt 1: exit: the command exited with code 3',
    'run.ended failed',
  ]);
  expect(code).toBe(1);
});
