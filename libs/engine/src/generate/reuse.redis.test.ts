import { armFailpoints } from '@runnel/core';
import {
  connectRedis,
  type RedisClient,
  readGeneratedBy,
  readLog,
  readTask,
  writeLog,
} from '@runnel/store';
import { afterAll, afterEach, beforeAll, expect, inject, test } from 'vitest';
import { GrowingRun, type TaskEnd } from './growing.test-kit.ts';

let redis: RedisClient;

beforeAll(() => {
  redis = connectRedis(inject('redisUrl'), () => undefined);
});

afterEach(() => {
  armFailpoints(undefined);
});

afterAll(async () => {
  await redis.quit();
});

const spec = [
  { class: 'gen', generator: true },
  { class: 'collect', parents: ['gen'] },
];

const succeeds: TaskEnd = { outcome: 'succeeded' };

interface Task {
  readonly id: string;
  readonly parents?: readonly unknown[];
  readonly [field: string]: unknown;
}

function part(task: Task): object {
  return { class: task.id, executor: 'noop', ...task };
}

function gives(set: readonly Task[]): (id: string) => TaskEnd {
  return (id) => (id === 'gen' ? { ...succeeds, set: set.map(part) } : succeeds);
}

async function reusedBy(run: GrowingRun, generator = 'gen'): Promise<number | undefined> {
  const number = await run.find(generator);
  return (await readGeneratedBy(redis, run.driver.run, number))?.reused;
}

const a = { id: 'a' };
const b = { id: 'b', parents: ['a'] };
const c = { id: 'c', parents: ['b'] };
const d = { id: 'd' };

/** Runs a set, has its generator generate another one, and says what ran then, in alphabetical order. */
async function rerun(
  first: readonly Task[],
  second: readonly Task[],
): Promise<{ readonly ran: readonly string[]; readonly reused: number | undefined }> {
  await using run = await GrowingRun.submit(redis, spec);
  await run.play(gives(first));
  run.started.length = 0;

  await run.retry(['gen']);
  await run.play(gives(second));

  expect(run.refused).toEqual([]);
  expect(await run.state()).toBe('succeeded');
  expect(await run.counts()).toEqual({ succeeded: second.length + 2 });
  expect(await run.findings()).toEqual([]);
  const ran = run.started.filter((id) => id.startsWith('gen.')).sort();
  return { ran, reused: await reusedBy(run) };
}

test('nothing of a set runs again that is what it was', async () => {
  expect(await rerun([a, b, c, d], [a, b, c, d])).toEqual({ ran: [], reused: 4 });
});

test('the order of a set is no change', async () => {
  expect(await rerun([a, b, c, d], [d, c, b, a])).toEqual({ ran: [], reused: 4 });
});

test.each<[string, Task]>([
  ['details', { ...b, details: { output: 1 } }],
  ['version', { ...b, version: 2 }],
  ['executor', { ...b, executor: 'local', details: { command: ['true'] } }],
  ['parents', { ...b, parents: ['a', 'd'] }],
  ['a condition of its parents', { ...b, runIf: 'any-succeeded' }],
])('a task with other %s runs again with what hangs on it', async (_, changed) => {
  const { ran, reused } = await rerun([a, b, c, d], [a, changed, c, d]);

  expect(ran).toEqual(['gen.b', 'gen.c']);
  expect(reused).toBe(2);
});

test('a task with other retries, timeout or pool is what it was', async () => {
  const other = { ...b, retries: 3, timeout: '9s', pool: 'large' };

  expect(await rerun([a, b], [a, other])).toEqual({ ran: [], reused: 2 });
});

test('of expanded tasks those with new values run, and those behind them', async () => {
  const expanded = (last: number): Task[] =>
    [
      { id: 'x', class: 'x', parameters: { N: { from: 1, to: last } } },
      {
        id: 'y',
        class: 'y',
        parameters: { N: { from: 1, to: last } },
        parents: [{ class: 'x', match: true }],
      },
      { id: 'all', parents: ['y'] },
    ].map(
      ({ id, ...rest }) => (rest.parameters === undefined ? { id, ...rest } : { ...rest }) as Task,
    );
  await using run = await GrowingRun.submit(redis, spec);
  await run.play(gives(expanded(3)));
  run.started.length = 0;

  await run.retry(['gen']);
  await run.play(gives(expanded(4)));

  expect([...run.started].sort()).toEqual(['collect', 'gen', 'gen.all', 'gen.x:N=4', 'gen.y:N=4']);
  expect(await run.state()).toBe('succeeded');
  expect(await run.findings()).toEqual([]);
});

test('what did not succeed runs again with what hangs on it, and not before its generator', async () => {
  await using run = await GrowingRun.submit(redis, spec);
  await run.play((id) => (id === 'gen.b' ? { outcome: 'failed' } : gives([a, b, c, d])(id)));
  expect(await run.state()).toBe('failed');
  run.started.length = 0;

  await run.retry(['gen']);
  expect(await run.states()).toMatchObject({
    ...{ 'gen.a': 'succeeded', 'gen.b': 'failed', 'gen.c': 'upstream-failed' },
  });
  await run.play(gives([a, b, c, d]));

  expect(run.started).toEqual(['gen', 'gen.b', 'gen.c', 'collect']);
  expect(await run.state()).toBe('succeeded');
  expect(await run.findings()).toEqual([]);
});

test('results can be read under the same ids: output, attempts, failures and log', async () => {
  await using run = await GrowingRun.submit(redis, spec);
  const set = [{ ...a, retries: 2 }, d];
  await run.play(gives(set));
  const old = await run.find('gen.a');
  const { names } = run.driver.run;
  // As if the second attempt had succeeded, after one that failed.
  const failure = { reason: 'exit', message: 'first', startMs: 1, durationMs: 2, worker: 'w' };
  await redis.hset(names.tries, String(old), 2);
  await redis.hset(names.bases, String(old), 1);
  await redis.hset(names.failures, `${old}.1`, JSON.stringify(failure));
  await redis.hset(names.outputs, String(old), '{"n":7}');
  const log = { droppedBytes: 3, runCapBytes: 10_000, task: old };
  await writeLog(redis, run.driver.run, { ...log, attempt: 1, tail: Buffer.from('one') });
  await writeLog(redis, run.driver.run, { ...log, attempt: 2, tail: Buffer.from('two!') });
  const before = await readTask(redis, await run.infos.read(run.driver.run.id), old);
  const bytes = await redis.hget(names.meta, 'logBytes');

  await run.retry(['gen']);
  await run.play(gives(set));

  const now = await run.find('gen.a');
  expect(now).not.toBe(old);
  const after = await readTask(redis, await run.infos.read(run.driver.run.id), now);
  expect(after).toMatchObject({
    ...{ state: 'succeeded', attempt: 2, output: { n: 7 }, base: 1 },
    failures: [{ ...failure, attempt: 1 }],
    last: before.last,
  });
  expect((await readLog(redis, run.driver.run, now, 1))?.tail.toString()).toBe('one');
  expect(await readLog(redis, run.driver.run, now, 2)).toEqual({
    droppedBytes: 3,
    tail: Buffer.from('two!'),
  });
  // Nothing is kept twice.
  expect(await redis.hget(names.meta, 'logBytes')).toBe(bytes);
  expect(await redis.hkeys(names.outputs)).toEqual([String(now)]);
  expect((await redis.hkeys(names.logs)).sort()).toEqual([`${now}.1`, `${now}.2`]);
  expect(await redis.hkeys(names.failures)).toEqual([`${now}.1`]);
});

test('a reused task that is retried later counts its attempts on', async () => {
  await using run = await GrowingRun.submit(redis, spec);
  await run.play(gives([a, b]));
  await run.retry(['gen']);
  await run.play(gives([a, b]));
  run.started.length = 0;

  await run.retry(['gen.a']);
  await run.play(gives([]));

  expect(run.started).toEqual(['gen.a', 'gen.b', 'collect']);
  const info = await run.infos.read(run.driver.run.id);
  const task = await readTask(redis, info, await run.find('gen.a'));
  expect(task).toMatchObject({ state: 'succeeded', attempt: 2, successes: [{ attempt: 1 }] });
  expect(await run.findings()).toEqual([]);
});

test('a set is reused again and again', async () => {
  await using run = await GrowingRun.submit(redis, spec);
  await run.play(gives([a, b, c, d]));
  for (const round of [1, 2, 3]) {
    run.started.length = 0;
    await run.retry(['gen']);
    await run.play(gives([a, b, { ...c, version: round }, d]));
    expect(run.started).toEqual(['gen', 'gen.c', 'collect']);
  }
  expect(await run.counts()).toEqual({ succeeded: 6 });
  expect(await run.findings()).toEqual([]);
});

test('while a generator runs again and when it fails, its set stays as it is, and is reused later', async () => {
  await using run = await GrowingRun.submit(redis, spec);
  await run.play(gives([a, b]));

  await run.retry(['gen']);
  expect(await run.states()).toMatchObject({
    gen: 'ready',
    'gen.a': 'succeeded',
    collect: 'waiting',
  });
  await run.play(() => ({ outcome: 'failed' }));
  expect(await run.states()).toEqual({
    ...{ gen: 'failed', 'gen.a': 'succeeded', 'gen.b': 'succeeded', collect: 'upstream-failed' },
  });
  expect(await run.state()).toBe('failed');
  expect(await run.findings()).toEqual([]);
  run.started.length = 0;
  await run.retry(['gen']);
  await run.play(gives([a, b]));

  expect(run.started).toEqual(['gen', 'collect']);
  expect(await run.state()).toBe('succeeded');
  expect(await run.findings()).toEqual([]);
});

test.each(['any-succeeded', 'all-done', 'none-failed'])(
  'what waits for a generator by the rule %s does not start before it has run again',
  async (runIf) => {
    await using run = await GrowingRun.submit(redis, [
      { class: 'gen', generator: true },
      { class: 'collect', parents: ['gen'], runIf },
    ]);
    await run.play(gives([a, d]));
    run.started.length = 0;

    await run.retry(['gen']);
    await run.play((id) => (id === 'gen' ? null : succeeds));
    expect(run.started).toEqual([]);
    await run.play(gives([a, d]));

    expect(run.started).toEqual(['gen', 'collect']);
    expect(await run.state()).toBe('succeeded');
    expect(await run.findings()).toEqual([]);
  },
);

const withOuter = [
  { class: 'source' },
  { class: 'other' },
  { class: 'gen', generator: true, parents: ['source'] },
  { class: 'collect', parents: ['gen'] },
];

test('a task that waits for one of the run is reused, and is not where that runs again', async () => {
  const set = [
    { ...a, parents: ['other'] },
    { ...b, parents: ['a'] },
    { ...c, parents: ['source'] },
  ];
  await using run = await GrowingRun.submit(redis, withOuter);
  await run.play(gives(set));

  run.started.length = 0;
  await run.retry(['gen']);
  await run.play(gives(set));
  expect(run.started).toEqual(['gen', 'collect']);

  run.started.length = 0;
  await run.retry(['source']);
  await run.play(gives(set));
  expect(run.started).toEqual(['source', 'gen', 'gen.c', 'collect']);

  run.started.length = 0;
  await run.retry(['other', 'gen']);
  await run.play(gives(set));
  expect([...run.started].sort()).toEqual(['collect', 'gen', 'gen.a', 'gen.b', 'other']);
  expect(run.started.indexOf('gen.a')).toBeGreaterThan(run.started.indexOf('other'));

  run.started.length = 0;
  await run.retry(['gen']);
  await run.play(gives([{ ...a, parents: ['source'] }, ...set.slice(1)]));
  expect([...run.started].sort()).toEqual(['collect', 'gen', 'gen.a', 'gen.b']);
  expect(await run.state()).toBe('succeeded');
  expect(await run.findings()).toEqual([]);
});

test('a task that is named with its generator runs again, when the generator has', async () => {
  await using run = await GrowingRun.submit(redis, spec);
  await run.play(gives([a, b, c, d]));
  run.started.length = 0;

  await run.retry(['gen', 'gen.b']);
  await run.play(gives([a, b, c, d]));

  expect(run.started).toEqual(['gen', 'gen.b', 'gen.c', 'collect']);
  expect(await run.counts()).toEqual({ succeeded: 6 });
  expect(await run.findings()).toEqual([]);
});

test('a task that generates runs again with its set, what hangs on others does not', async () => {
  const inner = { id: 'inner', generator: true };
  const set = [a, b, inner, { id: 'behind', parents: ['inner'] }];
  const ends = (id: string): TaskEnd =>
    id === 'gen.inner' ? { ...succeeds, set: [part({ id: 'x' })] } : gives(set)(id);
  await using run = await GrowingRun.submit(redis, spec);
  await run.play(ends);
  run.started.length = 0;

  await run.retry(['gen']);
  await run.play(ends);

  expect(run.started).toEqual(['gen', 'gen.inner', 'gen.inner.x', 'gen.behind', 'collect']);
  expect(await run.counts()).toEqual({ succeeded: 7 });
  expect(await run.findings()).toEqual([]);

  run.started.length = 0;
  await run.retry(['gen.inner']);
  await run.play(ends);

  expect(run.started).toEqual(['gen.inner', 'gen.behind', 'collect']);
  expect(await reusedBy(run, 'gen.inner')).toBe(1);
  expect(await run.findings()).toEqual([]);
});

test('a run that is cancelled before reused tasks have ended has them cancelled', async () => {
  await using run = await GrowingRun.submit(redis, spec);
  await run.play(gives([a, b]));
  await run.retry(['gen']);
  const delivery = await run.claimOnly();
  await run.join(delivery, [a, b].map(part));
  expect(await run.states()).toMatchObject({ 'gen.a': 'waiting', 'gen.b': 'waiting' });
  expect(await run.findings()).toEqual([]);

  await run.halt();
  await run.settleAll(delivery);

  expect(await run.state()).toBe('cancelled');
  // The old set is not retired in a run that is being ended: its two tasks are still counted.
  expect(await run.counts()).toEqual({ cancelled: 3, succeeded: 3 });
  expect(await run.findings()).toEqual([]);
});

test('a retry between looking at a set and showing the next one has it looked at again', async () => {
  await using run = await GrowingRun.submit(redis, spec);
  await run.play(gives([a, b, d]));
  await run.retry(['gen']);
  const delivery = await run.claimOnly();
  armFailpoints('append.before-show=pause:300@1');

  const joining = run.join(delivery, [a, b, d].map(part));
  await run.retry(['gen.d']);
  await joining;
  await run.settleAll(delivery);
  run.started.length = 0;
  await run.play(() => succeeds);

  expect(await reusedBy(run)).toBe(2);
  expect(run.started).toContain('gen.d');
  expect(await run.state()).toBe('succeeded');
  expect(await run.findings()).toEqual([]);
});

test('what a worker that died has carried over is not taken for results of another set', async () => {
  await using run = await GrowingRun.submit(redis, [...spec, { class: 'late', generator: true }]);
  const first = (id: string): TaskEnd | null => (id === 'late' ? null : gives([a, b])(id));
  await run.play(first);
  const { names } = run.driver.run;
  const old = await run.find('gen.a');
  await redis.hset(names.outputs, String(old), '{"n":7}');
  await redis.hset(names.tries, String(old), 2);
  await run.retry(['gen']);
  armFailpoints('append.after-carry=error');
  const claimed = await run.claimAll();
  const info = await run.infos.read(run.driver.run.id);
  const of = async (id: string) => {
    const number = await run.find(id);
    const found = claimed.find(({ ids }) => ids.includes(number));
    if (found === undefined) throw new Error(`${id} is in no delivery`);
    return found;
  };
  const [gen, late] = [await of('gen'), await of('late')];
  await expect(run.join(gen, [a, b].map(part))).rejects.toThrow('could not join');
  armFailpoints(undefined);
  expect(Number(await redis.hget(names.meta, 'spill'))).toBeGreaterThan(info.facts.nodeCount);
  // As if the lock of the dead worker had run out.
  await redis.hset(names.meta, 'appendAt', 0);

  await run.join(late, [part({ id: 'x' }), part({ id: 'y' })]);

  expect(await redis.hget(names.meta, 'spill')).toBeNull();
  const x = await readTask(
    redis,
    await run.infos.read(run.driver.run.id),
    await run.find('late.x'),
  );
  expect(x).toMatchObject({ output: null, attempt: 0, last: null });
  expect(await redis.hkeys(names.outputs)).toEqual([String(old)]);
  await run.settleAll(late);
  await run.join(gen, [a, b].map(part));
  await run.settleAll(gen);
  run.started.length = 0;
  await run.play(() => succeeds);
  expect([...run.started].sort()).toEqual(['collect', 'late.x', 'late.y']);
  const after = await readTask(
    redis,
    await run.infos.read(run.driver.run.id),
    await run.find('gen.a'),
  );
  expect(after).toMatchObject({ output: { n: 7 }, attempt: 2 });
  expect(await run.state()).toBe('succeeded');
  expect(await run.findings()).toEqual([]);
});
