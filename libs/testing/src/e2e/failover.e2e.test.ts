import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { type Client, createClient, type WireRun } from '@runnel/client';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { RedisNode } from '../redis-node.ts';
import { type SentinelSet, startCluster, startSentinels } from '../redis-sets.ts';
import { Stack } from '../stack.ts';
import { readJournal, waitFor, waitForEnd } from './wait-for.ts';

const functions = fileURLToPath(new URL('../fixtures/functions.ts', import.meta.url));
/** `RUNNEL_FAILOVER_TRIES=20 vitest run …` for a thorough answer. */
const tries = Number(process.env['RUNNEL_FAILOVER_TRIES'] ?? 1);
/** Of each process, when a run stands. */
const lastLines = 40;
let dir: string;

beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), 'runnel-failover-'));
});

afterAll(() => rmSync(dir, { recursive: true, force: true }));

function startStack(redisUrl: string, env: Readonly<Record<string, string>> = {}): Promise<Stack> {
  const all = { RUNNEL_FUNCTIONS: functions, RUNNEL_CONCURRENCY: '4', ...env };
  return Stack.start({ api: true, listeners: 2, workers: 2, redisUrl, env: all });
}

/** Two layers of tasks that take a few ms each. */
function layers(width: number, journal: string): unknown {
  const input = { journal, id: '{{task.id}}', ms: 5 };
  return {
    parameters: { N: { from: 1, to: width } },
    defaults: { executor: 'function', details: { name: 'wait', input } },
    tasks: [
      { class: 'a', parameters: ['N'] },
      { class: 'b', parameters: ['N'], parents: [{ class: 'a', match: true }] },
    ],
  };
}

async function killUnderLoad(stack: Stack, kill: () => Promise<void>): Promise<void> {
  const client = createClient({ url: stack.apiUrl });
  const journal = join(stack.dir, 'journal');
  const { id } = await client.submitRun({ value: layers(600, journal) });
  await waitFor(30_000, async () => {
    const ends = readJournal(journal).length / 2;
    return ends >= 200 ? { done: true } : { notYet: ends };
  });

  await kill();
  const run = await waitForEndPatiently(client, id).catch(async (error: unknown) => {
    throw new Error(await describeStall(stack, client, id), { cause: error });
  });

  expect(run.state).toBe('succeeded');
  expect(run.counts.succeeded).toBe(1_200);
  const ended = new Set(
    readJournal(journal).flatMap((line) => (line.startsWith('end') ? [line.split(' ')[1]] : [])),
  );
  expect(ended.size).toBe(1_200);
}

/** What an engineer would look at: why it waits, what the doctor finds, and the last that each process said. */
async function describeStall(stack: Stack, client: Client, id: string): Promise<string> {
  const asked = [client.why(id), client.askDoctor({ run: id }), client.listWorkers()];
  const answers = await Promise.all(asked.map((answer) => answer.catch(String)));
  const logs = stack.processes.flatMap(({ app, pid, log }) => [
    `--- ${app} ${pid}`,
    ...log.slice(-lastLines),
  ]);
  return [`run ${id} stands`, ...answers.map((answer) => JSON.stringify(answer)), ...logs].join(
    '\n',
  );
}

/** While nobody is master the API answers 503. */
async function waitForEndPatiently(client: Client, id: string): Promise<WireRun> {
  return await waitFor(100_000, async () => {
    try {
      return { done: await waitForEnd(client, id, 50_000) };
    } catch (error: unknown) {
      if (error instanceof Error && /not within/.test(error.message)) throw error;
      await sleep(200);
      return { notYet: String(error) };
    }
  });
}

test('a run goes on and ends right when the master behind Sentinels is killed', async () => {
  await using redis = await startSentinels(join(dir, 'sentinels'));
  await using stack = await startStack(redis.url);

  await killUnderLoad(stack, async () => (await redis.master()).kill());
});

test('a run goes on and ends right when a master of a Cluster is killed', async () => {
  await using redis = await startCluster(join(dir, 'cluster'), { hasReplicas: true });
  await using stack = await startStack(redis.url);

  await killUnderLoad(stack, async () => (await redis.master()).kill());
});

const ways = {
  'is killed': async (_redis: SentinelSet, master: RedisNode) => {
    await master.kill();
    return () => master.start();
  },
  'is frozen for 5 s': async (_redis: SentinelSet, master: RedisNode) => {
    master.signal('SIGSTOP');
    await sleep(5_000);
    master.signal('SIGCONT');
    return async () => undefined;
  },
  'is cut off from replicas and Sentinels, but not from us': async (
    redis: SentinelSet,
    master: RedisNode,
  ) => {
    const wire = redis.wires[redis.nodes.indexOf(master)];
    wire?.cut();
    return async () => wire?.heal();
  },
};

test.each(Object.entries(ways))(
  'in mode ha nothing that was acknowledged is lost when the master %s',
  async (_name, lose) => {
    const lines = ['min-replicas-to-write 1', 'min-replicas-max-lag 10'];
    await using redis = await startSentinels(mkdtempSync(join(dir, 'ha-')), lines);
    await using stack = await startStack(redis.url, { RUNNEL_DURABILITY: 'ha' });
    const client = createClient({ url: stack.apiUrl });
    const accepted: string[] = [];
    const loading = new AbortController();
    const load = submitAgainAndAgain(client, accepted, loading.signal);

    for (let turn = 0; turn < tries; turn++) {
      await sleep(1_500);
      const master = await redis.master();
      const mend = await lose(redis, master);
      await waitFor(30_000, async () => {
        const now = await redis.master();
        return now === master ? { notYet: 'the old master' } : { done: true };
      });
      await sleep(2_000);
      await mend();
      await waitForReplicas(redis);
    }
    loading.abort();
    await load;

    expect(accepted.length).toBeGreaterThan(10 * tries);
    for (const id of accepted) {
      const run = await waitForEndPatiently(client, id);
      expect([run.state, run.counts.succeeded]).toEqual(['succeeded', 3]);
    }
  },
  60_000 + tries * 60_000,
);

/** Small runs, one after another from four clients; remembers those that were answered 201. */
async function submitAgainAndAgain(
  client: Client,
  accepted: string[],
  signal: AbortSignal,
): Promise<void> {
  const value = {
    defaults: { executor: 'noop' },
    tasks: [{ class: 'a' }, { class: 'b', parents: ['a'] }, { class: 'c', parents: ['b'] }],
  };
  const submit = async (): Promise<void> => {
    while (!signal.aborted) {
      try {
        accepted.push((await client.submitRun({ value })).id);
      } catch {
        // Not acknowledged: it may be lost.
        await sleep(50);
      }
      await sleep(5);
    }
  };
  await Promise.all([submit(), submit(), submit(), submit()]);
}

async function waitForReplicas(redis: SentinelSet): Promise<void> {
  await waitFor(60_000, async () => {
    const info = await (await redis.master()).client.info('replication').catch(String);
    return /role:master[\s\S]*connected_slaves:2/.test(info) ? { done: true } : { notYet: info };
  });
}
