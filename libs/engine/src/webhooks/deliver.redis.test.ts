import { createHmac } from 'node:crypto';
import {
  addressRules,
  armFailpoints,
  parseAllowedPlaces,
  SecretError,
  type Webhook,
} from '@runnel/core';
import {
  connectRedis,
  deleteRun,
  listFailedHooks,
  type RedisClient,
  RunInfoCache,
  readFeedPage,
  retryFailedHook,
  shardOf,
  stateCode,
} from '@runnel/store';
import { StoreDriver, settlementOf } from '@runnel/store/store-driver';
import {
  type Graph,
  plainNode as node,
  planOf,
  type Receiver,
  startReceiver,
  startReceiverAt,
} from '@runnel/testing';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, inject, test } from 'vitest';
import { HookDeliverer, type HookDelivererOptions } from './deliver.ts';
import type { LaneResult } from './lane.ts';
import { HookPoster } from './post.ts';
import { maxTries } from './tries.ts';

const key = Buffer.alloc(32, 5);
let redis: RedisClient;
let namespace = '';
let namespaces = 0;
let nowMs = 1_000;
let results: LaneResult[] = [];
let errors: unknown[] = [];
const deliverers: HookDeliverer[] = [];

beforeAll(() => {
  redis = connectRedis(inject('redisUrl'), () => undefined);
});
beforeEach(() => {
  namespace = `hooks${process.pid}x${++namespaces}`;
  [nowMs, results, errors] = [1_000, [], []];
});
afterEach(async () => {
  armFailpoints(undefined);
  for (const deliverer of deliverers.splice(0)) await deliverer[Symbol.asyncDispose]();
});
afterAll(async () => {
  await redis.quit();
});

/** A listener's deliverer, which may go to loopback. */
function deliverer(options: Partial<HookDelivererOptions> = {}, timeoutMs = 5_000): HookDeliverer {
  const rules = addressRules(parseAllowedPlaces(['127.0.0.0/8']));
  const made = new HookDeliverer({
    namespace,
    infos: new RunInfoCache(redis, namespace),
    events: { redis, settings: { keepMs: 86_400_000, archive: 'none', archiveKeepMs: null } },
    secrets: {
      async read(name) {
        if (name === 'KEY') return `whsec_${key.toString('base64')}`;
        throw new SecretError(`no secret ${name}`);
      },
    },
    poster: new HookPoster({ rules, timeoutMs }),
    now: () => nowMs,
    random: () => 0.5,
    onResult: (result) => results.push(result),
    owned: () => [...Array(32).keys()],
    onError: (error) => errors.push(error),
    ...options,
  });
  deliverers.push(made);
  return made;
}

function submit(webhooks: readonly Webhook[], graph: Graph = [node]): Promise<StoreDriver> {
  return StoreDriver.submit(redis, namespace, planOf(graph, { webhooks }));
}

/** Ends tasks that are ready, delivery by delivery: all, or those of the first. */
async function play(
  driver: StoreDriver,
  code: number = stateCode.succeeded,
  most = 100,
): Promise<void> {
  await driver.turn(1_000, 4_096);
  for (let played = 0; played < most; played++) {
    const [open] = await driver.deliveries();
    if (open === undefined) return;
    const delivery = await driver.claimed(open.carrier);
    const ends = delivery.ids.map((_, place) => ({ place, code }));
    await driver.settle([settlementOf(delivery, ends)], 1_000, 4_096);
  }
}

/** Rounds until nothing is due, without the time going on by itself. */
async function deliver(by: HookDeliverer): Promise<void> {
  for (let rounds = 0; rounds < 4; rounds++) {
    await by.round();
    await by.settled();
    nowMs += 1_000;
  }
}

const typesOf = ({ messages }: Receiver): readonly string[] =>
  messages.map(({ body }) => {
    const told: unknown = JSON.parse(body);
    return Array.isArray(told) ? `${told.length} tasks` : String(Object(told)['type']);
  });

function hooksSet(): Promise<readonly string[]> {
  return Promise.all(
    [...Array(32).keys()].map((shard) => redis.zrange(`${namespace}:{r${shard}}:hooks`, '0', '-1')),
  ).then((all) => all.flat());
}

describe('a webhook', () => {
  test('is told of the end of its run, as a CloudEvent that is signed', async () => {
    await using receiver = await startReceiver();
    const driver = await submit([{ url: receiver.url, secret: { secret: 'KEY' } }]);
    await play(driver);

    await deliver(deliverer());

    const [message] = receiver.messages;
    const id = `${driver.run.id}-0-3`;
    const body = {
      ...{ specversion: '1.0', id: '3', type: 'runnel.run.ended' },
      ...{ source: `/api/v1/runs/${driver.run.id}`, time: '1970-01-01T00:00:00.001Z' },
      datacontenttype: 'application/json',
      data: { run: driver.run.id, state: 'succeeded', keptUntil: '1970-01-02T00:00:00.001Z' },
    };
    expect(receiver.messages).toHaveLength(1);
    expect(JSON.parse(message?.body ?? '')).toEqual(body);
    const signature = createHmac('sha256', key).update(`${id}.1.${message?.body}`).digest('base64');
    expect(message?.headers).toMatchObject({
      'content-type': 'application/cloudevents+json; charset=utf-8',
      'webhook-id': id,
      'webhook-timestamp': '1',
      'webhook-signature': `v1,${signature}`,
    });
    expect(await hooksSet()).toEqual([]);
    expect(errors).toEqual([]);
  });

  test('is told of tasks in lists of at most 100, in order, between events of the run', async () => {
    await using receiver = await startReceiver();
    const on = ['run-started', 'task-ended', 'run-ended'] as const;
    const driver = await submit(
      [{ url: receiver.url, on: [...on] }],
      Array.from({ length: 250 }, () => node),
    );
    await play(driver);

    await deliver(deliverer());

    const tasks = receiver.messages.slice(1, -1);
    const numbers = tasks.flatMap(({ body }) =>
      (JSON.parse(body) as { id: string }[]).map((event) => Number(event.id)),
    );
    expect(typesOf(receiver)).toEqual([
      'runnel.run.started',
      '100 tasks',
      '100 tasks',
      '50 tasks',
      'runnel.run.ended',
    ]);
    expect(numbers).toEqual(Array.from({ length: 250 }, (_, index) => index + 2));
    expect(tasks[0]?.headers['content-type']).toBe(
      'application/cloudevents-batch+json; charset=utf-8',
    );
    expect(receiver.messages.map(({ id }) => id.split('-').at(-1))).toEqual([
      '1',
      '101',
      '201',
      '251',
      '252',
    ]);
  });

  test.each([
    [['run-failed'], stateCode.failed, ['runnel.run.ended']],
    [['run-failed'], stateCode.succeeded, []],
    [['run-succeeded'], stateCode.succeeded, ['runnel.run.ended']],
    [['task-failed'], stateCode.failed, ['1 tasks']],
    [['task-succeeded'], stateCode.failed, []],
  ] as const)('on %s, told of an end with code %i, gets %s', async (on, code, types) => {
    await using receiver = await startReceiver();
    const driver = await submit([{ url: receiver.url, on: [...on] }]);
    await play(driver, code);

    await deliver(deliverer());

    expect(typesOf(receiver)).toEqual(types);
    expect(await hooksSet()).toEqual([]);
  });

  test('is told of tasks of its classes alone', async () => {
    await using receiver = await startReceiver();
    const plan = planOf([node, { ...node, allowFailure: true }]);
    const [first] = plan.groups;
    const classes = [plan.groups[1]?.class ?? ''];
    const webhooks = [{ url: receiver.url, on: ['task-ended' as const], classes }];
    const driver = await StoreDriver.submit(redis, namespace, { ...plan, webhooks });
    await play(driver);

    await deliver(deliverer());

    expect(classes).not.toEqual([first?.class]);
    expect(typesOf(receiver)).toEqual(['1 tasks']);
    expect(receiver.messages[0]?.body).toContain(`"class":"${classes[0]}"`);
  });

  test('of a run is no concern of another: each gets all of its own', async () => {
    await using one = await startReceiver();
    await using two = await startReceiver(() => 500);
    const driver = await submit([
      { url: one.url, on: ['run-started', 'run-ended'] },
      { url: two.url },
    ]);
    await play(driver);

    await deliver(deliverer());

    expect(typesOf(one)).toEqual(['runnel.run.started', 'runnel.run.ended']);
    expect(two.messages.map(({ id }) => id)).toEqual([`${driver.run.id}-1-3`]);
    expect(await hooksSet()).toEqual([driver.run.id]);
  });

  test('that can not be signed is tried again, never sent without', async () => {
    await using receiver = await startReceiver();
    const driver = await submit([{ url: receiver.url, secret: { secret: 'NONE' } }]);
    await play(driver);

    await deliver(deliverer());

    expect(receiver.messages).toEqual([]);
    expect(results).toMatchObject([{ kind: 'failed', tries: 1, error: 'no secret NONE' }]);
  });
});

describe('a message that fails', () => {
  test('is sent again after its delay, the same under the same id', async () => {
    await using receiver = await startReceiver((_, index) => (index < 2 ? 500 : 200));
    const driver = await submit([{ url: receiver.url }]);
    await play(driver);
    const by = deliverer();

    await deliver(by);
    const soon = receiver.messages.length;
    nowMs += 5_000;
    await deliver(by);
    nowMs += 15_000;
    await deliver(by);

    const [first] = receiver.messages;
    expect(soon).toBe(1);
    expect(receiver.messages.map(({ id, body }) => ({ id, body }))).toEqual(
      Array.from({ length: 3 }, () => ({ id: first?.id, body: first?.body })),
    );
    expect(results.map(({ kind, tries }) => `${kind} ${tries}`)).toEqual([
      'failed 1',
      'failed 2',
      'delivered 2',
    ]);
    expect(await hooksSet()).toEqual([]);
  });

  test('waits for as long as the receiver asks', async () => {
    await using receiver = await startReceiver((_, index) =>
      index === 0 ? (response) => response.writeHead(429, { 'Retry-After': '60' }).end() : 200,
    );
    await play(await submit([{ url: receiver.url }]));
    const by = deliverer();

    await deliver(by);
    nowMs += 50_000;
    await deliver(by);
    const early = receiver.messages.length;
    nowMs += 10_000;
    await deliver(by);

    expect(early).toBe(1);
    expect(receiver.messages).toHaveLength(2);
  });

  test('is sent again by another listener as it was, though more has happened since', async () => {
    await using receiver = await startReceiver();
    const on = ['task-ended' as const, 'run-ended' as const];
    const after = { ...node, parents: [{ id: 0, on: 'succeeded' as const }] };
    const driver = await submit([{ url: receiver.url, on }], [node, after]);
    await play(driver, stateCode.succeeded, 1);
    armFailpoints('hook.after-post=error');
    await deliver(deliverer());
    await play(driver);
    nowMs += 30_000;

    await deliver(deliverer());

    const [first, second] = receiver.messages;
    expect(errors.map(String)).toEqual(['FailpointError: failpoint hook.after-post']);
    expect(second?.id).toBe(first?.id);
    expect(second?.body).toBe(first?.body);
    expect(typesOf(receiver)).toEqual(['1 tasks', '1 tasks', '1 tasks', 'runnel.run.ended']);
  });

  test('is given up after its last try, listed, and sent again when asked for', async () => {
    await using receiver = await startReceiver(() => 500);
    const driver = await submit([{ url: receiver.url }]);
    await play(driver);
    const by = deliverer();
    for (let tries = 0; tries < maxTries + 2; tries++) {
      await deliver(by);
      nowMs += 24 * 3_600_000;
    }
    const { failed } = await listFailedHooks(redis, namespace, { limit: 10 });
    const sent = receiver.messages.length;
    const left = await hooksSet();

    receiver.answer = () => 200;
    const answer = await retryFailedHook(redis, namespace, { id: failed[0]?.id ?? '', now: nowMs });
    await deliver(by);

    expect(sent).toBe(maxTries);
    expect(left).toEqual([]);
    expect(failed).toMatchObject([
      {
        ...{ runId: driver.run.id, hook: 0, url: receiver.url, tries: maxTries },
        ...{ after: 0, until: 3, to: 3, error: '500 Internal Server Error' },
      },
    ]);
    expect(answer.kind).toBe('begun');
    expect(new Set(receiver.messages.map(({ id }) => id)).size).toBe(1);
    expect(receiver.messages).toHaveLength(maxTries + 1);
    expect((await listFailedHooks(redis, namespace, { limit: 10 })).failed).toEqual([]);
    expect(await redis.hgetall(driver.run.names.hookLanes)).toEqual({
      0: '{"after":3,"until":null,"closed":false,"plan":null}',
    });
    expect(await hooksSet()).toEqual([]);
  });

  test('that is given up holds up nothing that comes later', async () => {
    await using receiver = await startReceiver(() => 500);
    const on = ['run-started' as const, 'run-ended' as const];
    const driver = await submit([{ url: receiver.url, on }]);
    const by = deliverer();
    for (let tries = 0; tries < maxTries; tries++) {
      await deliver(by);
      nowMs += 24 * 3_600_000;
    }
    receiver.answer = () => 200;
    await play(driver);

    await deliver(by);

    const { failed } = await listFailedHooks(redis, namespace, { limit: 10 });
    expect(failed).toMatchObject([{ after: 0, until: 1 }]);
    expect(typesOf(receiver).at(-1)).toBe('runnel.run.ended');
    expect(receiver.messages).toHaveLength(maxTries + 1);
  });

  test('with 410 closes the webhook for the run; sent again, it is told of all that it missed', async () => {
    await using receiver = await startReceiver(() => 410);
    const on = ['run-started' as const, 'task-ended' as const, 'run-ended' as const];
    const driver = await submit([{ url: receiver.url, on }]);
    const by = deliverer();
    await deliver(by);
    await play(driver);
    await deliver(by);
    const closed = receiver.messages.length;
    const { failed } = await listFailedHooks(redis, namespace, { limit: 10 });

    receiver.answer = () => 200;
    await retryFailedHook(redis, namespace, { id: failed[0]?.id ?? '', now: nowMs });
    await deliver(by);

    expect(closed).toBe(1);
    expect(failed).toMatchObject([{ after: 0, until: null, tries: 1, error: '410 Gone' }]);
    expect(typesOf(receiver).slice(1)).toEqual([
      'runnel.run.started',
      '1 tasks',
      'runnel.run.ended',
    ]);
    expect(await hooksSet()).toEqual([]);
  });

  test('of a run that was deleted meanwhile goes, and can not be sent again', async () => {
    await using receiver = await startReceiver(() => 410);
    const driver = await submit([{ url: receiver.url }]);
    await play(driver);
    await deliver(deliverer());
    const { failed } = await listFailedHooks(redis, namespace, { limit: 10 });
    const id = failed[0]?.id ?? '';

    await deleteRun(redis, namespace, driver.run.id);
    const answers = [
      await retryFailedHook(redis, namespace, { id, now: nowMs }),
      await retryFailedHook(redis, namespace, { id, now: nowMs }),
    ];

    expect(answers.map(({ kind }) => kind)).toEqual(['removed', 'missing']);
    expect(await redis.exists(driver.run.names.hookLanes)).toBe(0);
  });
});

test('what the feed does not keep any more is told as one reset', async () => {
  await using receiver = await startReceiver();
  const on = ['task-ended' as const, 'run-ended' as const];
  const after = { ...node, parents: [{ id: 0, on: 'succeeded' as const }] };
  const driver = await submit([{ url: receiver.url, on }], [node, after]);
  await play(driver);
  await redis.xtrim(driver.run.names.events, 'MAXLEN', 2);
  const page = await readFeedPage(redis, driver.run, 0, { wantsTasks: true });

  await deliver(deliverer());

  expect(page?.first).toBe(3);
  expect(typesOf(receiver)).toEqual(['runnel.feed.reset', '1 tasks', 'runnel.run.ended']);
  expect(JSON.parse(receiver.messages[0]?.body ?? '')).toMatchObject({
    id: '3-reset',
    data: { lastKnown: 0, next: 3 },
  });
  expect(receiver.messages[0]?.id).toBe(`${driver.run.id}-0-2-reset`);
});

test('a run that is deleted is not looked at any more', async () => {
  await using receiver = await startReceiver(() => 500);
  const driver = await submit([{ url: receiver.url }]);
  await play(driver);
  const by = deliverer();
  await deliver(by);

  await deleteRun(redis, namespace, driver.run.id);
  const left = await hooksSet();
  nowMs += 3_600_000;
  await deliver(by);

  expect(left).toEqual([]);
  expect(receiver.messages).toHaveLength(1);
  expect(await redis.keys(`${namespace}:*:run:*`)).toEqual([]);
});

test('two listeners that own a shard at once move each webhook only forward', async () => {
  await using receiver = await startReceiver();
  const on = ['task-ended' as const];
  const driver = await submit(
    [{ url: receiver.url, on }],
    Array.from({ length: 300 }, () => node),
  );
  await play(driver);
  const [one, two] = [deliverer(), deliverer()];

  await Promise.all([deliver(one), deliver(two)]);

  const ids = receiver.messages.map(({ id }) => Number(id.split('-').at(-1)));
  expect(new Set(ids)).toEqual(new Set([101, 201, 301]));
  const lanes = await redis.hgetall(driver.run.names.hookLanes);
  expect(JSON.parse(lanes['0'] ?? '')).toMatchObject({ plan: null });
  expect(await hooksSet()).toEqual([]);
});

test('a listener that stops leaves what it has not sent to the next', async () => {
  await using receiver = await startReceiver();
  const driver = await submit([{ url: receiver.url }]);
  await play(driver);
  const stopped = deliverer();
  await stopped[Symbol.asyncDispose]();
  await deliver(stopped);
  const left = await hooksSet();

  await deliver(deliverer());

  expect(left).toEqual([driver.run.id]);
  expect(typesOf(receiver)).toEqual(['runnel.run.ended']);
});

test('a slot goes to the next in line, also past one that does not need it any more', async () => {
  const { promise, resolve } = Promise.withResolvers<void>();
  await using receiver = await startReceiver((_, index) =>
    index > 0 ? 200 : (response) => void promise.then(() => response.writeHead(200).end()),
  );
  const on = ['run-started' as const];
  const by = deliverer({ limits: { total: 1, perHost: 1 } });
  const send = async (): Promise<StoreDriver> => {
    const driver = await submit([{ url: receiver.url, on }]);
    await by.round();
    return driver;
  };
  const first = await send();
  await receiver.wait(1);
  const second = await send();
  const third = await send();
  await redis.del(second.run.names.meta);

  resolve();
  await receiver.wait(2);

  expect(receiver.messages.map(({ id }) => id)).toEqual([
    `${first.run.id}-0-1`,
    `${third.run.id}-0-1`,
  ]);
});

test('1,000 runs whose receiver is dead hold up no other', async () => {
  await using dead = await startReceiver(() => () => undefined);
  await using alive = await startReceiverAt('127.0.0.2', () => 200);
  const dying = await Promise.all(
    Array.from({ length: 1_000 }, () => submit([{ url: dead.url, on: ['run-started'] }])),
  );
  const by = deliverer({}, 60_000);
  for (let rounds = 0; rounds < 5; rounds++) await by.round();
  await dead.wait(8);

  const driver = await submit([{ url: alive.url }]);
  await play(driver);
  for (let rounds = 0; rounds < 10 && alive.messages.length === 0; rounds++) {
    await by.round();
    nowMs += 250;
    await new Promise((resume) => setImmediate(resume));
  }
  await alive.wait(1);

  expect(by.underWay).toBeLessThanOrEqual(9);
  expect(dead.messages).toHaveLength(8);
  expect(new Set(dying.map(({ run }) => shardOf(run.id))).size).toBe(32);
  expect(errors).toEqual([]);
});
