import { connectRedis, haltPage, type RedisClient, stateCode } from '@runnel/store';
import { type Graph, plainNode as node, planOf } from '@runnel/testing';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { firstReady, Patient } from './patient.test-kit.ts';

let redis: RedisClient;

beforeAll(() => {
  redis = connectRedis(inject('redisUrl'), () => undefined);
});

afterAll(async () => {
  await redis.quit();
});

/** Layers of equal width; a task has the two above it as parents. */
function layers(width: number, depth: number): Graph {
  return Array.from({ length: width * depth }, (_, id) => ({
    ...node,
    parents:
      id < width
        ? []
        : [...new Set([id - width, id - width + (id % width === 0 ? width - 1 : -1)])]
            .sort((a, b) => a - b)
            .map((parent) => ({ id: parent, on: 'succeeded' as const })),
  }));
}

/** 24 tasks in three layers, four of which are in deliveries, and one layer of which has begun to end. */
async function half(): Promise<Patient> {
  const patient = await Patient.submit(redis, 'doctor', planOf(layers(24, 3)));
  await patient.turn();
  await patient.round();
  return patient;
}

test('a run in the middle of its work, and one that has ended, are healthy', async () => {
  await using patient = await half();
  const middle = await patient.findings();

  const end = await patient.finish();

  expect(middle).toEqual([]);
  expect(end).toBe('succeeded');
  expect(await patient.findings()).toEqual([]);
});

interface Damage {
  readonly kind: string;
  /** Other kinds that the same damage shows as. */
  readonly also?: readonly string[];
  damage(patient: Patient): Promise<unknown>;
}

const readyOf = (patient: Patient): string => patient.driver.run.keys.more?.[0] ?? '';

const damages: readonly Damage[] = [
  {
    kind: 'count-wrong',
    damage: async ({ names }) => {
      await redis.hincrby(names.meta, 'fin', 3);
      await redis.hincrby(names.meta, 'i0', -2);
      await redis.hincrby(names.meta, 'r0', 5);
      await redis.hincrby(names.meta, 'open', 9);
      await redis.hincrby(names.counts, '0:2', 7);
    },
  },
  {
    kind: 'waiting-wrong',
    damage: ({ names }) => redis.setrange(names.waiting, 60 * 4, Buffer.from([0, 0, 0, 9])),
  },
  {
    kind: 'task-lost',
    also: ['count-wrong'],
    damage: (patient) => redis.del(readyOf(patient)),
  },
  {
    kind: 'ready-twice',
    also: ['count-wrong'],
    damage: async (patient) => {
      const raw = await redis.lindexBuffer(readyOf(patient), 0);
      await redis.rpush(readyOf(patient), raw ?? '');
    },
  },
  {
    kind: 'ready-ended',
    also: ['count-wrong'],
    damage: (patient) => redis.rpush(readyOf(patient), Buffer.from([0, 0, 0, 0, 0, 0, 0, 0])),
  },
  {
    kind: 'ready-early',
    also: ['count-wrong'],
    damage: (patient) => redis.rpush(readyOf(patient), Buffer.from([0, 0, 0, 0, 70, 0, 0, 0])),
  },
  {
    kind: 'ready-malformed',
    damage: (patient) => redis.lpush(readyOf(patient), Buffer.from([0, 0, 0, 0, 70])),
  },
  {
    kind: 'delivery-malformed',
    also: ['task-lost', 'count-wrong'],
    damage: async ({ names }) => {
      const [carrier = ''] = await redis.hkeys(names.deliveries);
      await redis.hset(names.deliveries, carrier, 'x');
    },
  },
  {
    kind: 'delivery-empty',
    also: ['task-lost', 'count-wrong'],
    damage: ({ names }) => changeDelivery(names.deliveries, (raw) => raw.writeUInt8(0, 28 + 4 * 5)),
  },
  {
    kind: 'delivery-ended',
    also: ['task-lost'],
    damage: ({ names }) => changeDelivery(names.deliveries, (raw) => raw.writeUInt32LE(0, 28)),
  },
  {
    kind: 'delivery-twice',
    also: ['count-wrong'],
    damage: async ({ names }) => {
      const all = await redis.hgetallBuffer(names.deliveries);
      await redis.hset(names.deliveries, '999', Object.values(all)[0] ?? '');
      await redis.zadd(names.outbox, Date.now() + 60_000, '999');
    },
  },
  {
    kind: 'outbox-stale',
    damage: ({ names }) => redis.zadd(names.outbox, 1, '777'),
  },
  {
    kind: 'outbox-late',
    damage: async ({ names }) => {
      const [carrier = ''] = await redis.hkeys(names.deliveries);
      await redis.zadd(names.outbox, 1, carrier);
    },
  },
  {
    kind: 'backlog-malformed',
    damage: ({ names }) => redis.rpush(names.backlog, 'nonsense'),
  },
  {
    kind: 'delayed-lost',
    also: ['count-wrong', 'waiting-wrong', 'ready-ended'],
    damage: async (patient) => {
      const [task = 0] = await firstReady(redis, patient);
      await redis.setrange(patient.names.state, task, Buffer.from([stateCode.delayed]));
    },
  },
  {
    kind: 'state-invalid',
    damage: ({ names }) => redis.setrange(names.state, 71, Buffer.from([8])),
  },
  {
    kind: 'run-misplaced',
    damage: async (patient) => {
      await redis.zrem(patient.names.active, patient.driver.run.id);
      await redis.zadd(patient.names.ended, 1, patient.driver.run.id);
    },
  },
];

async function changeDelivery(key: string, change: (raw: Buffer) => void): Promise<void> {
  const all = Object.entries(await redis.hgetallBuffer(key));
  const [carrier, raw] = all[0] ?? ['', Buffer.alloc(0)];
  change(raw);
  await redis.hset(key, carrier, raw);
}

describe('damage by hand is named, mended, and the run ends right', () => {
  test.each(damages)('$kind', async ({ kind, also = [], damage }) => {
    await using patient = await half();
    await damage(patient);

    const found = await patient.kinds();
    const left = await patient.treat();
    const times = await redis.zrange(patient.names.times, '0', '-1');
    await patient.driver.release(times.map((member) => Number(member.split(':')[2])));
    const end = await patient.finish();

    expect(found).toContain(kind);
    expect([kind, ...also]).toEqual(expect.arrayContaining([...found]));
    expect(left).toEqual([]);
    expect(end).toBe('succeeded');
    expect((await patient.driver.summary()).counts.succeeded).toBe(72);
    expect(await patient.findings()).toEqual([]);
  });
});

test('a delivery that BullMQ lost gets a new carrier', async () => {
  await using patient = await half();
  const before = await patient.driver.deliveries();
  await patient.queues.queue(patient.driver.run.queues[0] ?? '').obliterate({ force: true });

  const found = await patient.kinds();
  await patient.treat();
  const after = await patient.driver.deliveries();

  expect(found).toEqual(['delivery-lost']);
  expect(after).toHaveLength(before.length);
  expect(after.some(({ carrier }) => before.some((old) => old.carrier === carrier))).toBe(false);
  expect(await patient.finish()).toBe('succeeded');
});

test('a task that a halt left behind ends as cancelled, and the run with it', async () => {
  await using patient = await half();
  await haltPage(redis, patient.driver.run, 'cancel', 1);
  await redis.hset(patient.names.meta, { state: 'running', fin: 71, c6: 47 });
  await redis.hincrby(patient.names.counts, '0:6', -1);
  await redis.setrange(patient.names.state, 71, Buffer.from([stateCode.halting]));
  await redis.zadd(patient.names.active, 1, patient.driver.run.id);
  await redis.zrem(patient.names.ended, patient.driver.run.id);

  const found = await patient.kinds();
  await patient.treat();
  await patient.turn();

  expect(found).toContain('halt-lost');
  expect((await patient.driver.summary()).state).toBe('cancelled');
  expect(await patient.findings()).toEqual([]);
});

test('a task that a cancel of tasks left behind ends as cancelled, and its run goes on', async () => {
  await using patient = await half();
  const { id, names } = patient.driver.run;
  const [raw] = await redis.lrangeBuffer(`${names.meta.replace(/meta$/, 'ready0')}`, 0, 0);
  const task = raw?.readUInt32LE(4) ?? -1;
  await redis.setrange(names.state, task, Buffer.from([stateCode.cancelling]));
  await redis.hset(names.meta, { ending: 1, parked: 3 });

  const found = await patient.kinds();
  await patient.treat();
  const end = await patient.finish();

  expect(found).toEqual(['cancel-lost', 'count-wrong', 'ready-ended']);
  expect(end, id).toBe('cancelled');
  expect((await patient.driver.summary()).counts.cancelled).toBe(1);
  expect(await patient.findings()).toEqual([]);
});

test('a paused task that has ended leaves what lies aside', async () => {
  await using patient = await half();
  const { names } = patient.driver.run;
  const key = names.meta.replace(/meta$/, 'ready0');
  const entry = await redis.lpopBuffer(key);
  if (entry === null) throw new Error('nothing is ready');
  const count = entry.length / 4 - 1;
  await redis.rpush(names.parked, entry);
  await redis.hincrby(names.meta, 'r0', -count);
  await redis.hincrby(names.meta, 'parked', count);
  const healthy = await patient.kinds();
  await redis.rpush(names.parked, Buffer.concat([entry.subarray(0, 4), Buffer.alloc(4)]));

  const found = await patient.findings();
  await patient.treat();

  expect(healthy).toEqual([]);
  expect(found.map(({ kind, detail }) => `${kind} ${detail}`)).toContain('ready-ended parked');
  expect(await patient.findings()).toEqual([]);
  expect(await redis.llen(names.parked)).toBe(1);
});

test('a run whose last task ended without anybody noticing ends with its next turn', async () => {
  await using patient = await half();
  await patient.finish();
  await redis.hset(patient.names.meta, 'state', 'running');

  const found = await patient.kinds();
  await patient.treat();
  await patient.turn();

  expect(found).toEqual(['end-missed', 'run-misplaced']);
  expect((await patient.driver.summary()).state).toBe('succeeded');
});

test('repairs that were computed from the same look are made once', async () => {
  await using patient = await half();
  await redis.hincrby(patient.names.meta, 'fin', 3);

  await Promise.all([patient.treat(), patient.treat(), patient.treat()]);

  expect(await patient.findings()).toEqual([]);
  expect(await patient.finish()).toBe('succeeded');
});
