import { createHmac } from 'node:crypto';
import { createClient } from '@runnel/client';
import { expect, test } from 'vitest';
import { Stack } from '../stack.ts';
import { type Receiver, startReceiver } from '../webhook-receiver.ts';
import { hookPoints } from './failpoint-cases.ts';
import { runCli } from './run-cli.ts';
import { waitFor, waitForEnd } from './wait-for.ts';

const key = Buffer.alloc(32, 9);
const env = {
  RUNNEL_CONCURRENCY: '2',
  RUNNEL_WEBHOOK_ALLOW: '127.0.0.1',
  RUNNEL_SECRET_HOOK_KEY: `whsec_${key.toString('base64')}`,
};

interface Told {
  readonly type: string;
  readonly subject?: string;
  readonly data: { readonly run: string; readonly state: string };
}

function eventsOf(receiver: Receiver): readonly Told[] {
  return receiver.messages.flatMap(({ body }) => JSON.parse(body) as Told | readonly Told[]);
}

test('a run tells its own webhook of its tasks, and that of the operator of its end, both signed', async () => {
  await using own = await startReceiver();
  await using operators = await startReceiver();
  const secret = { secret: 'HOOK_KEY' };
  const ofAll = [{ url: operators.url, on: ['run-failed'], secret }];
  await using stack = await Stack.start({
    api: true,
    env: { ...env, RUNNEL_WEBHOOKS: JSON.stringify(ofAll) },
  });
  const client = createClient({ url: stack.apiUrl });
  const { id } = await client.submitRun({
    value: {
      webhooks: [{ url: own.url, on: ['task-ended'], classes: ['part', 'broken'], secret }],
      parameters: { N: { from: 1, to: 250 } },
      tasks: [
        { class: 'part', executor: 'noop', parameters: ['N'] },
        { class: 'quiet', executor: 'noop', parents: ['part'] },
        { class: 'broken', details: { command: ['sh', '-c', 'exit 3'] }, parents: ['quiet'] },
      ],
    },
  });
  await waitForEnd(client, id);

  await operators.wait(1);
  await waitFor(30_000, async () => {
    const told = eventsOf(own).length;
    return told >= 251 ? { done: true } : { notYet: told };
  });

  const subjects = eventsOf(own).map(({ subject }) => subject);
  expect(new Set(subjects).size).toBe(251);
  expect(subjects.at(-1)).toBe('broken');
  expect(subjects).not.toContain('quiet');
  expect(eventsOf(operators)).toMatchObject([
    { type: 'runnel.run.ended', data: { run: id, state: 'failed' } },
  ]);
  for (const { headers, body } of [...own.messages, ...operators.messages]) {
    const signed = `${headers['webhook-id']}.${headers['webhook-timestamp']}.${body}`;
    const signature = createHmac('sha256', key).update(signed).digest('base64');
    expect(headers['webhook-signature']).toBe(`v1,${signature}`);
  }
  const { text, code } = await runCli(stack.apiUrl, 'webhooks', '--json');
  expect(code).toBe(0);
  expect(JSON.parse(text)).toEqual({ failed: [], next: null });
});

test.each(hookPoints)(
  'a crash of a listener at %s: the message comes, under one id',
  async (point) => {
    await using receiver = await startReceiver();
    await using stack = await Stack.start({ api: true, listeners: 0, env });
    const client = createClient({ url: stack.apiUrl });
    const listener = await stack.add('listener', { RUNNEL_FAILPOINTS: `${point}=crash` });
    const { id } = await client.submitRun({
      value: {
        webhooks: [{ url: receiver.url, on: ['run-started', 'run-ended'] }],
        tasks: [{ class: 'a', executor: 'noop' }],
      },
    });

    await listener.gone;
    const before = receiver.messages.length;
    await stack.add('listener');
    await receiver.wait(point === 'hook.after-post' ? 3 : 2);
    const run = await waitForEnd(client, id);

    const ids = receiver.messages.map((message) => message.id);
    expect(before).toBe(point === 'hook.before-post' ? 0 : 1);
    expect(run.state).toBe('succeeded');
    expect(ids).toEqual([
      ...(point === 'hook.after-post' ? [`${id}-0-1`] : []),
      ...[`${id}-0-1`, `${id}-0-3`],
    ]);
  },
);

test('a receiver that was away gets everything when it is back, in order', async () => {
  await using receiver = await startReceiver((_, index) => (index < 2 ? 503 : 200));
  await using stack = await Stack.start({ api: true, env });
  const client = createClient({ url: stack.apiUrl });
  const { id } = await client.submitRun({
    value: {
      webhooks: [{ url: receiver.url, on: ['run-started', 'task-ended', 'run-ended'] }],
      tasks: [{ class: 'a', executor: 'noop' }],
    },
  });

  await receiver.wait(5);

  const { webhooks } = await waitFor(10_000, async () => {
    const found = await client.getWebhooks(id);
    return found.webhooks[0]?.after === 3 ? { done: found } : { notYet: found };
  });
  expect(eventsOf(receiver).map(({ type }) => type)).toEqual([
    ...['runnel.run.started', 'runnel.run.started', 'runnel.run.started'],
    ...['runnel.task.succeeded', 'runnel.run.ended'],
  ]);
  expect(webhooks).toMatchObject([{ webhook: 0, tries: 0, error: null }]);
});
