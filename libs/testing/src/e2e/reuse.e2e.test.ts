import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Client, createClient } from '@runnel/client';
import { expect, test } from 'vitest';
import { Stack } from '../stack.ts';
import { carryPoints, wipePoints } from './failpoint-cases.ts';
import { readJournal, waitForEnd } from './wait-for.ts';

const functions = fileURLToPath(new URL('../fixtures/functions.ts', import.meta.url));

/** More than one call of Redis takes: it goes in pages, and so do the results. */
const large = 2_100;

/** A run whose generator prints a file, and that has ended; the tasks write to a journal. */
async function startEnded(stack: Stack, client: Client): Promise<string> {
  writeSet(stack, 1);
  const details = { command: ['cat', join(stack.dir, 'set.ndjson')] };
  const { id } = await client.submitRun({
    value: {
      tasks: [
        { class: 'gen', generator: true, details },
        { class: 'collect', executor: 'noop', parents: ['gen'] },
      ],
    },
  });
  const run = await waitForEnd(client, id);
  expect(run.state).toBe('succeeded');
  expect(readJournal(join(stack.dir, 'journal')).length).toBe(large);
  return id;
}

/** Of the last task the version is given. */
function writeSet(stack: Stack, version: number): void {
  const journal = join(stack.dir, 'journal');
  const lines = Array.from({ length: large }, (_, id) =>
    JSON.stringify({
      ...{ class: 'part', id: `part-${id}`, executor: 'function' },
      ...(id === large - 1 ? { version } : {}),
      details: { name: 'act', input: { journal, id, attempts: ['succeeded'] } },
    }),
  );
  writeFileSync(join(stack.dir, 'set.ndjson'), `${lines.join('\n')}\n`);
}

async function expectReused(stack: Stack, client: Client, id: string): Promise<void> {
  const run = await waitForEnd(client, id, 90_000);
  expect(run.state).toBe('succeeded');
  expect(run.counts.succeeded).toBe(large + 2);
  expect((await client.getTask(id, 'gen')).generated).toMatchObject({
    ...{ count: large, reused: large - 1 },
  });
  // Each task once, and the changed one once more.
  const journal = readJournal(join(stack.dir, 'journal'));
  expect(journal.slice(large)).toEqual([`${large - 1} 1`]);
  for (const place of [0, 700, large - 1]) {
    const task = await client.getTask(id, `gen.part-${place}`);
    expect(task).toMatchObject({ state: 'succeeded', attempt: 1, output: { id: place } });
  }
  expect((await client.askDoctor({ run: id })).findings).toEqual([]);
}

test.concurrent.each(carryPoints)(
  'a crash of the worker at %s, where a generator runs again, has nothing run twice',
  async (point) => {
    const env = { RUNNEL_FUNCTIONS: functions };
    await using stack = await Stack.start({ api: true, workers: 1, env });
    const client = createClient({ url: stack.apiUrl });
    const id = await startEnded(stack, client);
    await stack.of('worker')[0]?.kill('SIGTERM');
    const armed = await stack.add('worker', { RUNNEL_FAILPOINTS: `${point}=crash` });
    writeSet(stack, 2);

    await client.retryRun(id, { from: ['gen'] });
    await armed.gone;
    await stack.add('worker');

    await expectReused(stack, client, id);
  },
  240_000,
);

test.concurrent.each(wipePoints)(
  'a crash at %s, after one while results were carried over, leaves nothing wrong',
  async (point) => {
    const env = { RUNNEL_FUNCTIONS: functions };
    await using stack = await Stack.start({ api: true, workers: 1, env });
    const client = createClient({ url: stack.apiUrl });
    const id = await startEnded(stack, client);
    await stack.of('worker')[0]?.kill('SIGTERM');
    const first = await stack.add('worker', { RUNNEL_FAILPOINTS: 'append.after-carry=crash@3' });
    writeSet(stack, 2);

    await client.retryRun(id, { from: ['gen'] });
    await first.gone;
    const second = await stack.add('worker', { RUNNEL_FAILPOINTS: `${point}=crash@2` });
    await second.gone;
    await stack.add('worker');

    await expectReused(stack, client, id);
  },
  240_000,
);
