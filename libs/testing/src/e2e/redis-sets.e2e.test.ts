import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, test } from 'vitest';
import { startCluster, startSentinels } from '../redis-sets.ts';
import { playGraphs, startForGraphs } from './play-graphs.ts';

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
