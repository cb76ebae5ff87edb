import {
  connectRedis,
  findTask,
  type RedisClient,
  readClasses,
  retryPage,
  stateCode,
} from '@runnel/store';
import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import { retryRun } from '../retry.ts';
import { GrowingRun, type TaskEnd } from './growing.test-kit.ts';

let redis: RedisClient;

beforeAll(() => {
  redis = connectRedis(inject('redisUrl'), () => undefined);
});

afterAll(async () => {
  await redis.quit();
});

const spec = [
  { class: 'gen', generator: true },
  { class: 'collect', parents: ['gen'] },
];

function parts(names: readonly string[], rest: object = {}): readonly object[] {
  return names.map((id) => ({ class: 'part', id, executor: 'noop', ...rest }));
}

const succeeds: TaskEnd = { outcome: 'succeeded' };

test('a generator that runs again replaces what it generated before', async () => {
  await using run = await GrowingRun.submit(redis, spec);
  await run.play((id) => (id === 'gen' ? { ...succeeds, set: parts(['a', 'b', 'c']) } : succeeds));
  run.started.length = 0;

  await run.retry(['gen']);
  await run.play((id) => (id === 'gen' ? { ...succeeds, set: parts(['b', 'd']) } : succeeds));

  expect(run.started[0]).toBe('gen');
  expect([...run.started].sort()).toEqual(['collect', 'gen', 'gen.d']);
  expect(run.started.at(-1)).toBe('collect');
  expect(await run.states()).toEqual({
    ...{ gen: 'succeeded', collect: 'succeeded', 'gen.b': 'succeeded', 'gen.d': 'succeeded' },
  });
  expect(await run.state()).toBe('succeeded');
  expect(await run.counts()).toEqual({ succeeded: 4 });
  const info = await run.infos.read(run.driver.run.id);
  const classes = await readClasses(redis, info);
  // The class of the first set is there twice, once for each group; together it has what is left.
  expect(classes.map((one) => [one.class, one.total])).toEqual([
    ['gen', 1],
    ['collect', 1],
    ['gen.part', 2],
  ]);
  expect(await findTask(redis, info, 'gen.a')).toBeNull();
  expect(await run.findings()).toEqual([]);
});

test('what generated tasks have generated is replaced with them', async () => {
  await using run = await GrowingRun.submit(redis, spec);
  const outer = [...parts(['x']), { class: 'inner', executor: 'noop', generator: true }];
  const first = (id: string): TaskEnd => {
    if (id === 'gen') return { ...succeeds, set: outer };
    return id === 'gen.inner' ? { ...succeeds, set: parts(['y', 'z']) } : succeeds;
  };
  await run.play(first);

  await run.retry(['gen']);
  await run.play((id) => (id === 'gen' ? { ...succeeds, set: parts(['x']) } : succeeds));

  expect(Object.keys(await run.states()).sort()).toEqual(['collect', 'gen', 'gen.x']);
  expect(await run.state()).toBe('succeeded');
  expect(await run.counts()).toEqual({ succeeded: 3 });
  expect(await run.findings()).toEqual([]);
});

test('a set whose tasks failed goes with its failures', async () => {
  await using run = await GrowingRun.submit(redis, spec);
  await run.play((id) => {
    if (id === 'gen') return { ...succeeds, set: parts(['a', 'b']) };
    return { outcome: id === 'gen.a' ? 'failed' : 'succeeded' };
  });
  expect(await run.state()).toBe('failed');

  await run.retry(['gen']);
  await run.play((id) => (id === 'gen' ? { ...succeeds, set: [] } : succeeds));

  expect(await run.state()).toBe('succeeded');
  expect(await run.states()).toEqual({ gen: 'succeeded', collect: 'succeeded' });
  expect(await run.findings()).toEqual([]);
});

test('a generated task that is retried takes the children of its generator with it', async () => {
  await using run = await GrowingRun.submit(redis, spec);
  const isFirst = new Set<string>();
  await run.play((id) => {
    if (id === 'gen') return { ...succeeds, set: parts(['a', 'b']) };
    isFirst.add(id);
    return { outcome: id === 'gen.a' ? 'failed' : 'succeeded' };
  });
  run.started.length = 0;

  await run.retry(['gen.a']);
  await run.play(() => succeeds);

  expect(run.started).toEqual(['gen.a', 'collect']);
  expect(await run.state()).toBe('succeeded');
  expect(await run.counts()).toEqual({ succeeded: 4 });
  expect(await run.findings()).toEqual([]);
});

test('what runs of a replaced set is left to end, and counts no more', async () => {
  await using run = await GrowingRun.submit(redis, spec);
  await run.play((id) => {
    if (id === 'gen.slow') return null;
    return id === 'gen' ? { ...succeeds, set: parts(['slow', 'a']) } : succeeds;
  });

  await run.retry(['gen']);
  await run.play((id) => {
    if (id === 'gen.slow') return null;
    return id === 'gen' ? { ...succeeds, set: parts(['b']) } : succeeds;
  });
  expect(await run.state()).toBe('running');
  await run.play(() => ({ outcome: 'failed' }));

  expect(await run.state()).toBe('succeeded');
  expect(await run.states()).toEqual({
    ...{ gen: 'succeeded', collect: 'succeeded', 'gen.b': 'succeeded' },
  });
  expect(await run.counts()).toEqual({ succeeded: 3 });
  expect(await run.findings()).toEqual([]);
});

test('a retry that was computed before a set joined is computed again', async () => {
  await using run = await GrowingRun.submit(redis, [{ class: 'early' }, ...spec]);
  const set = [{ class: 'a', executor: 'noop', parents: ['early'] }];
  await run.play((id) => (id === 'early' ? succeeds : null));
  const before = await run.infos.read(run.driver.run.id);
  await run.play((id) => (id === 'gen' ? { ...succeeds, set } : null));

  const answer = await retryRun({ redis, now: 1 }, before, {
    selector: { from: ['early'] },
    isDryRun: false,
  });
  // The generated task is among what is brought back, or left where it is.
  expect(answer.classes.map((one) => one.class)).toContain('gen.a');
  while (((await retryPage(redis, run.driver.run, 1))?.phase ?? 0) > 0);
  await run.play(() => succeeds);

  expect(await run.state()).toBe('succeeded');
  expect(await run.states()).toMatchObject({ 'gen.a': 'succeeded', collect: 'succeeded' });
  expect(await run.findings()).toEqual([]);
});

test('a task of the run that a replaced set waited for may run again and again', async () => {
  await using run = await GrowingRun.submit(redis, [
    { class: 'early' },
    ...spec,
    ...['x', 'y', 'z'].map((name) => ({ class: name, parents: ['early'] })),
  ]);
  const set = ['a', 'b'].map((name) => ({ class: name, executor: 'noop', parents: ['early'] }));
  const end = (id: string): TaskEnd => (id === 'gen' ? { ...succeeds, set } : succeeds);
  await run.play(end);
  await run.retry(['gen']);
  await run.play(end);

  for (let times = 0; times < 3; times++) {
    await run.retry(['early']);
    await run.play(end);
    expect(await run.state()).toBe('succeeded');
    expect(await run.findings()).toEqual([]);
    expect(await flagsOfReplaced(run)).toEqual(new Set([8]));
  }

  expect(await run.counts()).toEqual({ succeeded: 8 });
});

/** The flags in the words of replaced nodes: from 8 on no visit decides them. */
async function flagsOfReplaced({ driver }: GrowingRun): Promise<ReadonlySet<number>> {
  const { names } = driver.run;
  const states = (await redis.getBuffer(names.state)) ?? Buffer.alloc(0);
  const words = (await redis.getBuffer(names.waiting)) ?? Buffer.alloc(0);
  const flags = [...states].flatMap((code, node) =>
    code === stateCode.retired ? [words.readUInt8(node * 4)] : [],
  );
  return new Set(flags);
}
