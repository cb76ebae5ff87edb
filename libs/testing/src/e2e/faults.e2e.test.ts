import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { type Client, createClient } from '@runnel/client';
import { connectRedis } from '@runnel/store';
import { describe, expect, test } from 'vitest';
import { type AppProcess, Stack, type StackOptions } from '../stack.ts';
import { readJournal, waitFor, waitForEnd } from './wait-for.ts';

const functions = fileURLToPath(new URL('../fixtures/functions.ts', import.meta.url));

async function start(options: StackOptions = {}): Promise<{ stack: Stack; client: Client }> {
  const env = { RUNNEL_FUNCTIONS: functions, RUNNEL_CONCURRENCY: '2', ...options.env };
  const stack = await Stack.start({ api: true, ...options, env });
  return { stack, client: createClient({ url: stack.apiUrl }) };
}

/** 2,000 tasks in 4 layers, every layer after the whole one before. */
function layers(width: number, details: unknown, executor = 'function'): unknown {
  return {
    parameters: { N: { from: 1, to: width } },
    defaults: { executor },
    tasks: ['a', 'b', 'c', 'd'].map((name, index, names) => ({
      class: name,
      parameters: ['N'],
      details,
      ...(index === 0 ? {} : { parents: [{ class: names[index - 1], match: true }] }),
    })),
  };
}

describe.concurrent('kill -9', () => {
  test('of a worker: the run ends right, and its tasks start again within 15 s', async () => {
    const { stack, client } = await start({ workers: 2 });
    await using _ = stack;
    const journal = join(stack.dir, 'journal');
    const spec = layers(500, {
      name: 'wait',
      input: { journal, id: '{{task.id}}', ms: 5 },
    });
    const { id } = await client.submitRun({ value: spec });
    const [victim] = stack.of('worker');
    await waitForTasks(client, id, 200);

    const killedAt = Date.now();
    await victim?.kill('SIGKILL');
    const run = await waitForEnd(client, id, 90_000);

    expect(run.state).toBe('succeeded');
    expect(run.counts.succeeded).toBe(2_000);
    const starts = readJournal(journal).filter((line) => line.startsWith('start'));
    const ends = readJournal(journal).filter((line) => line.startsWith('end'));
    expect(ends.length).toBeGreaterThanOrEqual(2_000);
    // At most what the dead worker had in hand ran twice.
    expect(starts.length).toBeLessThanOrEqual(2_000 + 2 * 256);
    const seen = new Map<string, number>();
    for (const line of starts) {
      const [, task = '', at] = line.split(' ');
      if (seen.has(task)) expect(Number(at) - killedAt).toBeLessThan(15_000);
      seen.set(task, Number(at));
    }
  });

  test('of the listener: another goes on, and nothing is settled twice', async () => {
    const { stack, client } = await start({ workers: 2, listeners: 1 });
    await using _ = stack;
    const journal = join(stack.dir, 'journal');
    const { id } = await client.submitRun({
      value: layers(500, { name: 'wait', input: { journal, id: '{{task.id}}', ms: 1 } }),
    });
    await waitForTasks(client, id, 300);

    await stack.of('listener')[0]?.kill('SIGKILL');
    await stack.add('listener');
    const run = await waitForEnd(client, id, 60_000);

    expect(run.state).toBe('succeeded');
    expect(run.counts.succeeded).toBe(2_000);
    expect(readJournal(journal).filter((line) => line.startsWith('end'))).toHaveLength(2_000);
  });

  test('of the listener in the middle of a fan-out of 100,000', async () => {
    const { stack, client } = await start();
    await using _ = stack;
    const { id } = await client.submitRun({
      value: {
        parameters: { N: { from: 1, to: 100_000 } },
        defaults: { executor: 'noop' },
        tasks: [
          { class: 'first' },
          { class: 'middle', parameters: ['N'], parents: ['first'] },
          { class: 'last', parents: ['middle'] },
        ],
      },
    });
    await waitForTasks(client, id, 1);

    await stack.of('listener')[0]?.kill('SIGKILL');
    const before = await client.getRun(id);
    await stack.add('listener');
    const run = await waitForEnd(client, id);

    expect(before.counts.succeeded).toBeLessThan(100_002);
    expect(run.state).toBe('succeeded');
    expect(run.counts.succeeded).toBe(100_002);
  });
});

test.concurrent('listeners away for 60 s lose nothing: what ended meanwhile is settled when one comes back', async () => {
  const { stack, client } = await start();
  await using _ = stack;
  const { id } = await client.submitRun({ value: layers(5_000, {}, 'noop') });
  await waitForTasks(client, id, 1_000);
  await stack.of('listener')[0]?.kill('SIGKILL');

  await sleep(60_000);
  await stack.add('listener');
  const run = await waitForEnd(client, id);

  expect(run.state).toBe('succeeded');
  expect(run.counts.succeeded).toBe(20_000);
}, 180_000);

test.concurrent('a function that computes for 30 s without yielding runs once', async () => {
  const { stack, client } = await start({ workers: 2 });
  await using _ = stack;
  const journal = join(stack.dir, 'journal');
  const details = { name: 'busy', input: { journal, ms: 30_000 } };

  const { id } = await client.submitRun({
    value: { tasks: [{ class: 'busy', executor: 'function', details }] },
  });
  const run = await waitForEnd(client, id, 90_000);

  expect(run.state).toBe('succeeded');
  expect(readJournal(journal)).toEqual(['start', 'end']);
}, 120_000);

test.concurrent('of 256 tasks in one delivery, the one that kills its process three times is poison', async () => {
  const { stack, client } = await start({ workers: 1, env: { RUNNEL_CONCURRENCY: '1' } });
  await using _ = stack;
  const journal = join(stack.dir, 'journal');
  const keeper = keepAlive(stack);
  const { id } = await client.submitRun({
    value: {
      parameters: { N: { from: 0, to: 255 } },
      tasks: [
        {
          class: 'k',
          executor: 'function',
          parameters: ['N'],
          details: { name: 'kill', input: { journal, id: '{{N}}', killer: 7 } },
        },
      ],
    },
  });

  const run = await waitForEnd(client, id, 120_000);
  keeper.stop();

  expect(run.state).toBe('failed');
  expect(run.counts).toMatchObject({ succeeded: 255, failed: 1 });
  const killer = await client.getTask(id, 'k:N=7');
  expect(killer.failures.at(-1)?.reason).toBe('poison');
  expect(readJournal(journal).filter((line) => line === '7')).toHaveLength(3);
}, 180_000);

test.concurrent('SIGTERM: a worker hands back what does not end in its grace, and no death is counted', async () => {
  const { stack, client } = await start({ workers: 1, env: { RUNNEL_GRACE: '500ms' } });
  await using _ = stack;
  const { id } = await client.submitRun({
    value: { tasks: [{ class: 'long', details: { command: ['sleep', '3'] } }] },
  });
  await waitFor(20_000, async () => {
    const { counts } = await client.getRun(id);
    return counts.running === 1 ? { done: true } : { notYet: counts };
  });

  const code = await stack.of('worker')[0]?.kill('SIGTERM');
  await stack.add('worker');
  const run = await waitForEnd(client, id);

  expect(code).toBe(0);
  expect(run.state).toBe('succeeded');
  const task = await client.getTask(id, 'long');
  expect(task.failures).toEqual([]);
});

test.concurrent('a worker that was frozen beyond its lease stops what it ran: the task runs elsewhere', async () => {
  const { stack, client } = await start({ workers: 1, env: { RUNNEL_KILL_GRACE: '500ms' } });
  await using _ = stack;
  const journal = join(stack.dir, 'journal');
  const script = `echo $$ >> ${journal}; exec sleep 30`;
  const { id } = await client.submitRun({
    value: { tasks: [{ class: 'long', details: { command: ['sh', '-c', script] } }] },
  });
  const first = await waitFor(20_000, async () => {
    const [pid] = readJournal(journal);
    return pid === undefined ? { notYet: 'not started' } : { done: Number(pid) };
  });
  const [frozen] = stack.of('worker');
  await stack.add('worker');

  process.kill(frozen?.pid ?? 0, 'SIGSTOP');
  await waitFor(20_000, async () => {
    const { length } = readJournal(journal);
    return length === 2 ? { done: true } : { notYet: length };
  });
  process.kill(frozen?.pid ?? 0, 'SIGCONT');
  await waitFor(5_000, async () => (isAlive(first) ? { notYet: first } : { done: true }));
  const run = await waitForEnd(client, id);

  expect(run.state).toBe('succeeded');
  expect(readJournal(journal)).toHaveLength(2);
});

test.concurrent('an outage of Redis is no death of a task: it starts again and none is counted', async () => {
  const { stack, client } = await start({ workers: 1, env: { RUNNEL_KILL_GRACE: '500ms' } });
  await using _ = stack;
  const journal = join(stack.dir, 'journal');
  const script = `echo $$ >> ${journal}; exec sleep 14`;
  const { id } = await client.submitRun({
    value: { tasks: [{ class: 'long', details: { command: ['sh', '-c', script] } }] },
  });
  await waitFor(20_000, async () => {
    const { length } = readJournal(journal);
    return length === 1 ? { done: true } : { notYet: length };
  });

  process.kill(stack.redis.pid, 'SIGSTOP');
  await waitFor(15_000, async () => {
    const pid = Number(readJournal(journal)[0]);
    return isAlive(pid) ? { notYet: 'the command still runs' } : { done: true };
  });
  process.kill(stack.redis.pid, 'SIGCONT');
  const run = await waitForEnd(client, id);

  expect(run.state).toBe('succeeded');
  expect(readJournal(journal)).toHaveLength(2);
  const redis = connectRedis(stack.redis.url, () => undefined);
  const deaths = await redis.keys('*:deaths');
  await redis.quit();
  expect(deaths).toEqual([]);
});

test.concurrent('a cancel ends running commands with their grandchildren, and the run at once', async () => {
  const { stack, client } = await start();
  await using _ = stack;
  const script = 'sleep 311 & sleep 311 & wait';
  const { id } = await client.submitRun({
    value: {
      parameters: { N: { from: 1, to: 1000 } },
      tasks: [{ class: 'long', parameters: ['N'], details: { command: ['sh', '-c', script] } }],
    },
  });
  await waitFor(20_000, async () => {
    const { counts } = await client.getRun(id);
    return counts.running > 0 ? { done: true } : { notYet: counts };
  });

  const { isNew } = await client.cancelRun(id);
  const again = await client.cancelRun(id);
  const run = await waitForEnd(client, id, 15_000);

  expect([isNew, again.isNew]).toEqual([true, false]);
  expect(run.state).toBe('cancelled');
  expect(run.counts).toMatchObject({ cancelled: 1000, running: 0 });
  expect(await processesOf(['sleep', '311'])).toEqual([]);
});

async function waitForTasks(client: Client, id: string, succeeded: number): Promise<void> {
  await waitFor(60_000, async () => {
    const { counts } = await client.getRun(id);
    return counts.succeeded >= succeeded ? { done: true } : { notYet: counts };
  });
}

/** Starts a worker whenever one has died, as a supervisor does. */
function keepAlive(stack: Stack): { stop(): void } {
  let isStopped = false;
  const watch = async (worker: AppProcess | undefined): Promise<void> => {
    await worker?.gone;
    if (!isStopped) await watch(await stack.add('worker'));
  };
  void watch(stack.of('worker')[0]);
  return {
    stop() {
      isStopped = true;
    },
  };
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

/** Pids of processes with exactly this command line. */
async function processesOf(argv: readonly string[]): Promise<readonly string[]> {
  const { readdirSync, readFileSync } = await import('node:fs');
  return readdirSync('/proc').filter((pid) => {
    if (!/^\d+$/.test(pid)) return false;
    try {
      return readFileSync(`/proc/${pid}/cmdline`, 'utf8') === `${argv.join('\0')}\0`;
    } catch {
      return false;
    }
  });
}
