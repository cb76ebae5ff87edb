import { randomBytes } from 'node:crypto';
import {
  armFailpoints,
  type FinalRunState,
  type FinalTaskState,
  type Plan,
  type RunState,
  type TaskState,
} from '@runnel/core';
import { DeliveryQueues } from '@runnel/queue';
import {
  buryOutcome,
  connectRedis,
  encodeSpec,
  haltPage,
  type RedisClient,
  runHandle,
  shardOf,
  signOffListener,
  stateCode,
  storeRun,
} from '@runnel/store';
import { settlementOf } from '@runnel/store/store-driver';
import { type Graph, plainNode as node, planOf } from '@runnel/testing';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { after, failure, Scene } from './scene.test-kit.ts';
import { whyRun } from './why.ts';

let redis: RedisClient;

beforeAll(() => {
  redis = connectRedis(inject('redisUrl'), () => undefined);
});

afterAll(async () => {
  await redis.quit();
});

function start(
  graph: Graph,
  overrides: Partial<Plan> = {},
  options: Parameters<typeof Scene.start>[2] = {},
): Promise<Scene> {
  return Scene.start(redis, planOf(graph, overrides), options);
}

const chain = [node, after([0]), after([1])];

async function queued(graph = chain): Promise<Scene> {
  const scene = await start(graph);
  await scene.addWorker('w1', { default: 1 });
  await scene.driver.turn();
  await scene.moveOutbox();
  return scene;
}

async function running(graph = chain): Promise<Scene> {
  const scene = await queued(graph);
  await scene.startJob('w1', inject('redisUrl'));
  await scene.claim();
  return scene;
}

async function delayed(due: number): Promise<Scene> {
  const scene = await start([{ ...node, retries: 2 }, after([0])]);
  await scene.play({ code: stateCode.delayed, due }, failure);
  return scene;
}

async function halted(): Promise<Scene> {
  const scene = await running();
  await haltPage(redis, scene.driver.run, 'cancel', 1);
  return scene;
}

async function withCode(code: number): Promise<Scene> {
  const scene = await start(chain);
  await redis.setrange(scene.names.state, 0, Buffer.from([code]));
  return scene;
}

interface Case {
  readonly state: TaskState;
  readonly code: string;
  readonly task?: number;
  scene(): Promise<Scene>;
}

describe('a task that has not ended', () => {
  // Typed by state: a new one does not compile without its case.
  const byState: Readonly<Record<Exclude<TaskState, FinalTaskState>, Omit<Case, 'state'>>> = {
    waiting: { scene: () => start(chain), task: 1, code: 'parents' },
    ready: { scene: () => start(chain), code: 'pool-unserved' },
    queued: { scene: queued, code: 'queued' },
    running: { scene: running, code: 'running' },
    delayed: { scene: () => delayed(Date.now() + 60_000), code: 'delayed' },
    suspended: { scene: () => withCode(stateCode.suspended), code: 'suspended' },
  };

  test.each(Object.entries(byState))('that is %s has a reason', async (state, one) => {
    await using scene = await one.scene();

    const why = await scene.why(one.task ?? 0);

    expect(why.state).toBe(state);
    expect(why.reasons.map(({ code }) => code)).toEqual([one.code]);
    expect(why.summary).toContain(why.reasons[0]?.detail);
  });

  type OpenCode = Exclude<keyof typeof stateCode, FinalTaskState | 'retired'>;
  const byCode: Readonly<Record<OpenCode, { readonly code: string; scene(): Promise<Scene> }>> = {
    none: { scene: () => start(chain), code: 'pool-unserved' },
    // Only counted under this code, never written.
    ready: { scene: () => start(chain), code: 'pool-unserved' },
    delayed: { scene: () => delayed(1), code: 'due' },
    suspended: { scene: () => withCode(stateCode.suspended), code: 'suspended' },
    halting: { scene: halted, code: 'cancelling' },
    cancelling: { scene: () => withCode(stateCode.cancelling), code: 'cancelling' },
    reused: { scene: () => withCode(stateCode.reused), code: 'backlog' },
  };

  test.each(Object.entries(byCode))('whose state byte is %s has a reason', async (_, one) => {
    await using scene = await one.scene();

    expect((await scene.codes(0))[0]).toBe(one.code);
  });
});

describe('a run that has not ended', () => {
  const byState: Readonly<
    Record<
      Exclude<RunState, FinalRunState | 'submitting'>,
      { readonly code: string; scene(): Promise<Scene> }
    >
  > = {
    created: {
      scene: () => start(chain, {}, { expiresAt: Date.now() + 60_000 }),
      code: 'created',
    },
    running: { scene: running, code: 'running' },
    paused: {
      scene: async () => {
        const scene = await start(chain);
        await redis.hset(scene.names.meta, 'pausedAt', Date.now());
        return scene;
      },
      code: 'paused',
    },
  };

  test('says that a retry is under way', async () => {
    await using scene = await start(chain);
    await redis.hset(scene.names.meta, 'retry', 1);

    expect((await scene.why()).reasons[0]?.code).toBe('retrying');
  });

  test.each(Object.entries(byState))('and is %s has a reason', async (state, one) => {
    await using scene = await one.scene();

    const why = await scene.why();

    expect(why.state).toBe(state);
    expect(why.reasons[0]?.code).toBe(one.code);
  });

  test.each([
    [0, 'submitting'],
    [61_000, 'submission-abandoned'],
  ])('and is being submitted, %i ms after its last page, says so', async (ms, code) => {
    const namespace = `why${randomBytes(6).toString('hex')}`;
    const run = runHandle(namespace, 'one');
    const now = Date.now();
    armFailpoints('submit.after-create=error');
    const storing = storeRun(redis, {
      ...{ run, plan: planOf(Array.from({ length: 3_000 }, () => node)), now },
      ...{ spec: encodeSpec({}), source: null, bodyHash: '', priority: 0 },
      route: () => ({ queue: 'default', maxBatch: 1, isSideBySide: false }),
    });
    await expect(storing).rejects.toThrow('failpoint');
    armFailpoints(undefined);
    await using jobs = new DeliveryQueues({
      ...{ connection: redis, namespace },
      onError: () => undefined,
    });

    const context = { redis, namespace, jobs, now: () => now + ms };
    const why = await whyRun(context, 'one', () => Promise.reject(new Error('not readable yet')));

    expect([why.state, ...why.reasons.map((reason) => reason.code)]).toEqual(['submitting', code]);
  });

  test('sums up what its tasks wait for', async () => {
    await using scene = await start([...[node, node, node], ...[after([0]), after([1])]]);
    await scene.addWorker('w1', { default: 1 });
    await scene.driver.turn(1);
    await scene.moveOutbox();

    const { reasons, summary } = await scene.why();

    expect(reasons.map(({ code, count }) => [code, count])).toEqual([
      ['queued', 1],
      ['window', 2],
      ['parents', 2],
    ]);
    expect(summary).toContain('is running: 1 task: its delivery is in BullMQ');
  });

  test('names the pool that nobody serves first, and those that are served', async () => {
    await using scene = await start(chain);
    await scene.addWorker('w1', { gpu: 2, 'gpu.waits': 9 });
    await scene.driver.turn();
    await scene.moveOutbox();

    const [first] = (await scene.why()).reasons;

    expect(first).toMatchObject({ code: 'pool-unserved', count: 1 });
    expect(first?.detail).toBe(
      '1 task: no living worker serves pool default; served are pool gpu, pool gpu (for what only waits)',
    );
  });

  test('whose every task has ended waits for its end', async () => {
    await using scene = await start([node]);
    await scene.play({ code: stateCode.succeeded });
    // As if the last task had ended in a claim, which leaves the end of the run to the next turn.
    await redis.hset(scene.names.meta, 'state', 'running');

    expect(await scene.codes()).toEqual(['ending']);
  });
});

describe('a task that waits for parents', () => {
  test('is told how many, which, and in what state each is', async () => {
    const parents = Array.from({ length: 30 }, () => node);
    await using scene = await start([...parents, after([...parents.keys()])]);
    await scene.play({ code: stateCode.succeeded });
    await scene.driver.turn(1);

    const { reasons } = await scene.why(30);
    const [reason] = reasons;

    const { succeeded = 0 } = (await scene.driver.summary()).counts;
    expect(reason?.code).toBe('parents');
    expect(reason?.count).toBe(30 - succeeded);
    expect(reason?.tasks).toHaveLength(20);
    expect(reason?.detail).toMatch(/^29 of 30 parents have not ended \(29 of c0\)$/);
  });

  test('through barriers is told of the tasks behind them, with class counts', async () => {
    const graph = [
      ...[node, node, { ...node, retries: 1 }],
      after([0, 1], { isBarrier: true }),
      after([2, 3], { isBarrier: true }),
      after([4]),
    ];
    await using scene = await start(graph);

    const [reason] = (await scene.why(5)).reasons;

    expect(reason?.count).toBe(3);
    expect(reason?.detail).toBe('3 tasks behind its parents have not ended (2 of c0, 1 of c1)');
    expect(reason?.tasks?.map(({ id }) => id)).toEqual(['t0', 't1', 't2']);
  });

  test('that have ended is told of the backlog', async () => {
    const graph = [node, ...Array.from({ length: 9 }, () => after([0]))];
    await using scene = await start(graph);
    await scene.driver.turn();
    const delivery = await scene.claim();
    const ends = [{ place: 0, code: stateCode.succeeded }];
    await scene.driver.settle([settlementOf(delivery, ends)], 0, 3);

    expect(await scene.codes(9)).toEqual(['backlog']);
    expect(await scene.codes()).toContain('backlog');
  });
});

describe('a ready task', () => {
  test('stands behind the parallelism of its run', async () => {
    await using scene = await start([node, node, node], { parallelism: 1 });
    await scene.addWorker('w1', { default: 8 });
    await scene.driver.turn();

    const { reasons } = await scene.why(2);

    expect(reasons[0]).toMatchObject({
      code: 'parallelism',
      detail: '1 task of the run is queued or running, as many as its parallelism (1) allows',
    });
  });

  test('stands behind the share of its run', async () => {
    await using scene = await start([node, node, node]);
    await scene.addWorker('w1', { default: 1 });
    await scene.driver.turn(2);

    expect(await scene.codes(2)).toEqual(['window']);
  });

  test('stands behind runs of a higher priority', async () => {
    await using scene = await start([node, node, node]);
    await scene.addWorker('w1', { default: 8 });
    await redis.hset(scene.names.demand, 'default@5', 2);
    await scene.driver.turn(1);

    expect(await scene.codes(2)).toEqual(['priority']);
  });

  test('that nothing holds up waits for the next turn', async () => {
    await using scene = await start([node]);
    await scene.addWorker('w1', { default: 8 });

    expect(await scene.codes(0)).toEqual(['to-be-cut']);
  });
});

describe('a task in a delivery', () => {
  test('that is not in BullMQ yet is in the outbox', async () => {
    await using scene = await start(chain);
    await scene.addWorker('w1', { default: 1 });
    await scene.driver.turn();

    expect(await scene.codes(0)).toEqual(['outbox']);
    expect(await scene.codes()).toEqual(['outbox', 'parents']);
  });

  test('that BullMQ has forgotten is lost', async () => {
    await using scene = await start(chain);
    await scene.driver.turn();
    await scene.driver.clearOutbox([1]);

    expect(await scene.codes(0)).toEqual(['lost']);
  });

  test('whose worker is gone is lost, and says which worker it was', async () => {
    await using scene = await start(chain);
    await scene.driver.turn();
    await scene.moveOutbox();
    await scene.startJob('dead', inject('redisUrl'));
    await scene.claim();
    await scene.addWorker('other', { default: 1 });

    const [reason] = (await scene.why(0)).reasons;

    expect(reason?.code).toBe('lost');
    expect(reason?.detail).toContain('worker dead had its delivery and gave no sign for 10 s');
    expect(reason?.since).toBeGreaterThan(0);
  });

  test('that runs says on which worker, since when, and which attempt', async () => {
    await using scene = await running();

    const [reason] = (await scene.why(0)).reasons;

    expect(reason?.detail).toBe('attempt 1: worker w1 runs it');
    expect(reason?.since).toBeGreaterThan(Date.now() - 60_000);
  });

  test('whose outcomes were put aside names the entry and the reason', async () => {
    await using scene = await running();
    const { driver } = scene;
    const nothing = Buffer.alloc(0);
    await buryOutcome(
      ...([redis, driver.namespace, shardOf(driver.run.id)] as const),
      {
        ...{ entryId: '1-1', runId: driver.run.id, carrier: 1, group: 0 },
        ...{ token: nothing, outcomes: nothing, extras: nothing },
      },
      'ERR broken',
    );

    const [first] = (await scene.why(0)).reasons;

    expect(first?.code).toBe('dead-letter');
    expect(first?.detail).toMatch(
      /^outcomes of delivery 1 could not be settled in five tries \(entry \d+-\d+ of the dead letters: ERR broken\)$/,
    );
    expect(await scene.codes()).toContain('dead-letter');
    expect(await scene.codes(1)).not.toContain('dead-letter');
  });
});

test('a delayed task says which attempt comes when, and how the last one ended', async () => {
  const due = Date.now() + 60_000;
  await using scene = await delayed(due);

  const [reason] = (await scene.why(0)).reasons;
  const [ofRun] = (await scene.why()).reasons;

  expect(reason).toMatchObject({ code: 'delayed', until: due });
  expect(reason?.detail).toBe(
    `attempt 2 of 3 starts at ${new Date(due).toISOString()}; attempt 1 failed on worker w1: exit, code 3: no such file`,
  );
  expect(ofRun).toMatchObject({ code: 'delayed', count: 1, until: due });
});

test('a service without a listener says so', async () => {
  await using scene = await queued();
  await signOffListener(redis, scene.driver.namespace, 'listener');

  expect(await scene.codes(0)).toEqual(['queued', 'listener-missing']);
  expect(await scene.codes()).toEqual(['queued', 'parents', 'listener-missing']);
});
