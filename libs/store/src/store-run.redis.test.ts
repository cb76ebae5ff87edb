import { randomBytes } from 'node:crypto';
import { armFailpoints, type Plan } from '@runnel/core';
import { plainNode as node, planOf } from '@runnel/testing';
import { afterAll, afterEach, beforeAll, describe, expect, inject, test, vi } from 'vitest';
import { encodeSpec } from './chunks.ts';
import { connectRedis } from './connect.ts';
import { readAbandoned, removeRun } from './delete-run.ts';
import { shardOf } from './keys.ts';
import { readRun } from './read-run.ts';
import { runHandle } from './run-handle.ts';
import type { RedisClient } from './script.ts';
import { type NewRun, type StoreAnswer, storeRun } from './store-run.ts';

let redis: RedisClient;
const namespace = 'store-run';

beforeAll(() => {
  redis = connectRedis(inject('redisUrl'), () => undefined);
});
afterEach(() => {
  vi.restoreAllMocks();
  armFailpoints(undefined);
});
afterAll(async () => {
  await redis.quit();
});

/** The first task, a barrier at the beginning, and others that wait for both. */
function fan(width: number): Plan {
  const parents = [0, 1].map((id) => ({ id, on: 'succeeded' }) as const);
  return planOf([
    { ...node, parents: [] },
    { ...node, isBarrier: true, parents: [] },
    ...Array.from({ length: width }, () => ({ ...node, parents })),
  ]);
}

const newId = (): string => randomBytes(8).toString('hex');

function store(plan: Plan, changes: Partial<NewRun> & { id?: string } = {}): Promise<StoreAnswer> {
  const { id = newId(), ...others } = changes;
  return storeRun(redis, {
    ...{ run: runHandle(namespace, id), plan, spec: encodeSpec({}), source: null },
    ...{ bodyHash: 'h', priority: 0, now: 1 },
    route: (group) => ({ queue: group.pool, maxBatch: 256, isSideBySide: false }),
    ...others,
  });
}

/** Keys of a run with what is in them. */
async function contentsOf(id: string): Promise<Readonly<Record<string, string>>> {
  const keys = (await redis.keys(`${namespace}:*:run:${id}:*`)).sort();
  const values = await Promise.all(keys.map((key) => redis.dumpBuffer(key)));
  return Object.fromEntries(keys.map((key, at) => [key, values[at]?.toString('hex') ?? '']));
}

function nudgesOf(id: string): Promise<number> {
  return redis.xlen(`${namespace}:{r${shardOf(id)}}:outcomes`);
}

describe('a small run', () => {
  test('is stored, started and told to the listener by one call', async () => {
    const call = vi.spyOn(redis, 'callBuffer');
    const id = newId();
    const before = await nudgesOf(id);

    await store(fan(3), { id });

    const evals = call.mock.calls.filter(([command]) => command === 'EVALSHA');
    const { state, counts } = await readRun(redis, namespace, id);
    expect(evals).toHaveLength(1);
    expect([state, counts.ready, counts.waiting]).toEqual(['running', 1, 3]);
    expect(await nudgesOf(id)).toBe(before + 1);
  });

  test('is stored once where the call is sent again', async () => {
    const call = vi.spyOn(redis, 'callBuffer');
    const id = newId();
    await store(fan(3), { id });
    const [before, nudges] = [await contentsOf(id), await nudgesOf(id)];

    const sent = call.mock.calls.at(-1) ?? ['PING'];
    const again = await redis.callBuffer(...sent);

    expect(again).toEqual([5, 5]);
    expect(await contentsOf(id)).toEqual(before);
    expect(await nudgesOf(id)).toBe(nudges);
  });

  test('leaves one that has its id as it is, and tells what it is', async () => {
    const id = newId();
    await store(fan(3), { id });
    const before = await contentsOf(id);

    const answer = await store(fan(7), { id, bodyHash: 'other' });

    expect(answer).toEqual({ kind: 'exists', state: 'running', bodyHash: 'h' });
    expect(await contentsOf(id)).toEqual(before);
  });

  test('that breaks off leaves nothing', async () => {
    const id = newId();
    armFailpoints('submit.before-seal=error');

    await expect(store(fan(3), { id })).rejects.toThrow('failpoint');

    expect(await contentsOf(id)).toEqual({});
  });

  test('that is only created is not told to the listener', async () => {
    const id = newId();
    const before = await nudgesOf(id);

    await store(fan(3), { id, expiresAt: 99 });

    expect((await readRun(redis, namespace, id)).state).toBe('created');
    expect(await nudgesOf(id)).toBe(before);
    expect(await readAbandoned(redis, namespace, shardOf(id), 99)).toContain(id);
  });
});

test('the roots of a run are found among words of which some end in zeros', async () => {
  const roots = Array.from({ length: 256 }, (_, id) => ({ id, on: 'succeeded' }) as const);
  const id = newId();

  await store(
    planOf([
      ...roots.map(() => ({ ...node, parents: [] })),
      { ...node, parents: roots },
      { ...node, parents: [] },
      { ...node, parents: roots },
      { ...node, parents: roots.slice(1) },
      { ...node, parents: [] },
    ]),
    { id },
  );

  const { counts } = await readRun(redis, namespace, id);
  expect([counts.ready, counts.waiting]).toEqual([258, 3]);
});

describe('a run in pages', () => {
  test.each([
    ['many nodes', fan(5_000), {}],
    ['a long spec', fan(3), { text: randomBytes(400_000).toString('hex') }],
  ])('has %s, and is what a small one is', async (_, plan, spec) => {
    const id = newId();
    const before = await nudgesOf(id);
    armFailpoints('submit.after-create=error');

    await expect(store(plan, { spec: encodeSpec(spec) })).rejects.toThrow('failpoint');
    await store(plan, { id, spec: encodeSpec(spec) });

    const { state, counts } = await readRun(redis, namespace, id);
    expect([state, counts.ready, counts.waiting]).toEqual(['running', 1, plan.nodeCount - 2]);
    expect(await nudgesOf(id)).toBe(before + 1);
  });

  test.each(['submit.after-create', 'submit.after-page', 'submit.before-seal'])(
    'that breaks off at %s is found by the janitor, who leaves nothing',
    async (point) => {
      const id = newId();
      armFailpoints(`${point}=error`);

      await expect(store(fan(5_000), { id })).rejects.toThrow('failpoint');
      const abandoned = await readAbandoned(redis, namespace, shardOf(id), Date.now());
      await removeRun(redis, namespace, id, { set: 'submitting', until: Date.now() });

      expect(abandoned).toContain(id);
      expect(await contentsOf(id)).toEqual({});
      expect(await readAbandoned(redis, namespace, shardOf(id), Date.now())).not.toContain(id);
    },
  );

  test('is refused where it was removed meanwhile', async () => {
    const id = newId();
    armFailpoints('submit.before-seal=pause:200');

    const storing = store(fan(5_000), { id });
    await expect.poll(() => redis.exists(runHandle(namespace, id).names.names)).toBe(1);
    await removeRun(redis, namespace, id, { set: 'submitting', until: Date.now() });

    await expect(storing).rejects.toThrow('the submission took too long and was removed');
  });
});
