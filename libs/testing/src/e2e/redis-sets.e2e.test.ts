import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  appendOutcomes,
  connectRedis,
  openOutcomes,
  readNewOutcomes,
  shardOf,
} from '@runnel/store';
import { Cluster } from 'ioredis';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startCluster, startSentinels } from '../redis-sets.ts';
import { playGraphs, startForGraphs } from './play-graphs.ts';
import { waitFor } from './wait-for.ts';

const graphs = 8;
let dir: string;

beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), 'runnel-sets-'));
});

afterAll(() => rmSync(dir, { recursive: true, force: true }));

test('random graphs end as the table says on a Cluster of three masters', async () => {
  await using redis = await startCluster(join(dir, 'cluster'));
  await using stack = await startForGraphs({ redisUrl: redis.url });

  await playGraphs(stack, graphs);
});

test('random graphs end as the table says behind three Sentinels', async () => {
  await using redis = await startSentinels(join(dir, 'sentinels'));
  await using stack = await startForGraphs({ redisUrl: redis.url });

  await playGraphs(stack, graphs);
});

test('a shard whose slot has moved is read again, though nothing else fails', async () => {
  await using redis = await startCluster(join(dir, 'moved'));
  const cluster = connectRedis(redis.url, () => undefined);
  if (!(cluster instanceof Cluster)) throw new Error('this is no Cluster');
  await using _end = { [Symbol.asyncDispose]: async () => cluster.disconnect() };
  const shards = Array.from({ length: 32 }, (_, shard) => shard);
  for (const shard of shards) await openOutcomes(cluster, 'moved', shard);
  const nothing = Buffer.alloc(0);
  const runId = 'run';
  await appendOutcomes(cluster, 'moved', [
    { runId, carrier: 1, token: nothing, group: 0, outcomes: nothing, extras: nothing },
  ]);
  // As after a failover of which this connection has learnt all but one slot.
  const slot = Number(await cluster.call('CLUSTER', 'KEYSLOT', `moved:{r${shardOf(runId)}}:x`));
  const right = cluster.slots[slot]?.join();
  const wrong = cluster.slots.find((nodes) => nodes !== undefined && nodes.join() !== right);
  if (wrong === undefined) throw new Error('there is one node only');
  cluster.slots[slot] = wrong;

  const read = await waitFor(4_000, async () => {
    const found = await readNewOutcomes(cluster, 'moved', shards, { count: 1, blockMs: 50 });
    return found.length > 0 ? { done: found } : { notYet: 'nothing was read' };
  });

  expect(read.map(({ shard }) => shard)).toEqual([shardOf(runId)]);
  expect(cluster.slots[slot]?.join()).toBe(right);
});
