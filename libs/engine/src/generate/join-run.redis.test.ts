import {
  connectRedis,
  findTask,
  type RedisClient,
  readClasses,
  readGenerated,
} from '@runnel/store';
import { settlementOf } from '@runnel/store/store-driver';
import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import { GrowingRun, type TaskEnd } from './growing.test-kit.ts';

let redis: RedisClient;

beforeAll(() => {
  redis = connectRedis(inject('redisUrl'), () => undefined);
});

afterAll(async () => {
  await redis.quit();
});

const noop = { executor: 'noop' };
const generator = { class: 'gen', generator: true };
const collect = { class: 'collect', parents: ['gen'] };

/** Everything succeeds, and generators give these sets. */
function giving(sets: Readonly<Record<string, unknown>>): (id: string) => TaskEnd {
  return (id) => ({ outcome: 'succeeded', set: sets[id] });
}

function entries(count: number, name = 'part'): readonly object[] {
  return Array.from({ length: count }, (_, index) => ({
    class: name,
    id: `${name}-${index}`,
    ...noop,
  }));
}

async function expectSound(run: GrowingRun): Promise<void> {
  expect(await run.findings()).toEqual([]);
}

test('generated tasks run after their generator, and its children after all of them', async () => {
  await using run = await GrowingRun.submit(redis, [generator, collect]);

  await run.play(giving({ gen: [...entries(3), { class: 'last', parents: ['part'], ...noop }] }));

  expect(run.started[0]).toBe('gen');
  expect(run.started.slice(-2)).toEqual(['gen.last', 'collect']);
  expect(await run.state()).toBe('succeeded');
  expect(await run.states()).toEqual({
    gen: 'succeeded',
    collect: 'succeeded',
    'gen.part-0': 'succeeded',
    'gen.part-1': 'succeeded',
    'gen.part-2': 'succeeded',
    'gen.last': 'succeeded',
  });
  expect(await run.counts()).toEqual({ succeeded: 6 });
  await expectSound(run);
});

test('an empty set, and a generator that nothing waits for, are fine', async () => {
  await using empty = await GrowingRun.submit(redis, [
    generator,
    collect,
    { class: 'any', parents: ['gen'], runIf: 'any-succeeded' },
  ]);
  await using alone = await GrowingRun.submit(redis, [generator]);

  await empty.play(giving({}));
  await alone.play(giving({ gen: entries(2) }));

  expect(await empty.states()).toEqual({
    gen: 'succeeded',
    collect: 'succeeded',
    any: 'succeeded',
  });
  expect(Object.keys(await alone.states())).toEqual(['gen', 'gen.part-0', 'gen.part-1']);
  await expectSound(empty);
  await expectSound(alone);
});

test('generated tasks are found by id and counted by class', async () => {
  await using run = await GrowingRun.submit(redis, [generator, collect]);
  await run.play(giving({ gen: entries(300) }));
  const { driver, infos } = run;
  infos.forget(driver.run.id);
  const info = await infos.read(driver.run.id);

  const number = await findTask(redis, info, 'gen.part-299');
  const classes = await readClasses(redis, info);

  expect(number).not.toBeNull();
  expect((await info.task(number ?? 0)).id).toBe('gen.part-299');
  expect(classes.map((one) => [one.class, one.total, one.counts.succeeded])).toEqual([
    ['gen', 1, 1],
    ['collect', 1, 1],
    ['gen.part', 300, 300],
  ]);
  expect((await readGenerated(redis, driver.run)).get(0)).toMatchObject({ count: 300, attempt: 1 });
  await expectSound(run);
});

test('a large set is written in pages, and joins all at once', async () => {
  await using run = await GrowingRun.submit(redis, [generator, collect]);

  const delivery = await run.claimOnly();
  expect(await run.join(delivery, entries(5_000))).toEqual({ outcome: 'succeeded' });
  expect(await run.counts()).toEqual({ waiting: 5_001, running: 1 });
  await expectSound(run);
  await run.settleAll(delivery);
  await run.play(giving({}), 1_024);

  expect(await run.counts()).toEqual({ succeeded: 5_002 });
  expect(run.started.at(-1)).toBe('collect');
  await expectSound(run);
}, 60_000);

test('a set that is sent twice joins once', async () => {
  await using run = await GrowingRun.submit(redis, [generator, collect]);
  const delivery = await run.claimOnly();

  expect(await run.join(delivery, entries(3))).toEqual({ outcome: 'succeeded' });
  expect(await run.join(delivery, entries(3))).toEqual({ outcome: 'succeeded' });

  expect(await run.counts()).toEqual({ waiting: 4, running: 1 });
});

test('of a delivery that another worker has claimed nothing joins', async () => {
  await using run = await GrowingRun.submit(redis, [generator, collect]);
  const delivery = await run.claimOnly();
  await run.driver.claimed(delivery.carrier, 100);

  expect(await run.join(delivery, entries(3))).toEqual({ outcome: 'cancelled' });
  expect(await run.counts()).toEqual({ waiting: 1, running: 1 });
});

test('two generators at once, one with a large set, add theirs one after the other', async () => {
  const second = { ...generator, class: 'second' };
  await using run = await GrowingRun.submit(redis, [
    generator,
    second,
    { class: 'collect', parents: ['gen', 'second'] },
  ]);
  const claimed = await run.claimAll();
  const places = claimed.flatMap((delivery) =>
    delivery.ids.map((_, place) => ({ delivery, place })),
  );

  const answers = await Promise.all(
    places.map(({ delivery, place }, index) =>
      run.join(delivery, entries(index === 0 ? 3_000 : 20), place),
    ),
  );

  expect(answers).toEqual([{ outcome: 'succeeded' }, { outcome: 'succeeded' }]);
  expect(await run.counts()).toEqual({ waiting: 3_021, running: 2 });
  for (const delivery of claimed) await run.settleAll(delivery);
  await run.play(giving({}), 1_024);
  expect(await run.counts()).toEqual({ succeeded: 3_023 });
  await expectSound(run);
}, 60_000);

test('generated tasks may wait for tasks of the run, whether these have ended or not', async () => {
  await using run = await GrowingRun.submit(redis, [
    { class: 'early' },
    { class: 'failed', allowFailure: true },
    { class: 'slow', parents: ['early'] },
    { ...generator, parents: ['early'] },
    collect,
  ]);
  const set = [
    { class: 'a', ...noop, parents: ['early'] },
    { class: 'b', ...noop, parents: ['slow', 'a'] },
    { class: 'c', ...noop, parents: [{ class: 'failed', on: 'failed' }, { id: 'slow' }] },
    { class: 'd', ...noop, parents: ['failed'] },
    { class: 'e', ...noop, parents: ['failed', 'early'], runIf: 'any-failed' },
  ];
  let slow = false;

  await run.play((id) => {
    if (id === 'slow' && !slow) return null;
    return { outcome: id === 'failed' ? 'failed' : 'succeeded', set: id === 'gen' ? set : [] };
  });
  expect(await run.states()).toMatchObject({
    'gen.a': 'succeeded',
    'gen.b': 'waiting',
    'gen.c': 'waiting',
    'gen.d': 'upstream-failed',
    'gen.e': 'succeeded',
  });
  await expectSound(run);
  slow = true;
  await run.play(giving({}));

  expect(await run.states()).toMatchObject({
    'gen.b': 'succeeded',
    'gen.c': 'succeeded',
    collect: 'upstream-failed',
  });
  await expectSound(run);
});

test('a parent whose end waits in the backlog is counted once', async () => {
  await using run = await GrowingRun.submit(redis, [
    { class: 'early' },
    ...Array.from({ length: 40 }, (_, index) => ({ class: `child${index}`, parents: ['early'] })),
    generator,
    collect,
  ]);
  const claimed = await run.claimAll();
  const of = (number: number) => {
    for (const delivery of claimed) {
      const place = delivery.ids.indexOf(number);
      if (place >= 0) return { delivery, place };
    }
    throw new Error(`${number} is not open`);
  };
  const early = of(0);
  // Five of its children are visited; the rest waits with a cursor.
  await run.driver.settle([settlementOf(early.delivery, [{ place: early.place, code: 2 }])], 0, 5);
  expect(await redis.llen(run.driver.run.names.backlog)).toBe(1);
  const gen = of(41);

  await run.join(gen.delivery, [{ class: 'a', ...noop, parents: ['early'] }], gen.place);
  await run.driver.settle([settlementOf(gen.delivery, [{ place: gen.place, code: 2 }])], 4, 7);
  await expectSound(run);
  await run.play(giving({}), 7);

  expect(await run.states()).toMatchObject({ 'gen.a': 'succeeded', collect: 'succeeded' });
  expect(await run.counts()).toEqual({ succeeded: 44 });
  await expectSound(run);
});

test('generators among generated tasks generate more, and names resolve from the inside out', async () => {
  await using run = await GrowingRun.submit(redis, [
    { class: 'early' },
    { ...generator, parents: ['early'] },
    collect,
  ]);
  const inner = [
    { class: 'x', ...noop, parents: ['sibling', 'early'] },
    { class: 'y', ...noop, parents: ['x'] },
  ];

  await run.play(
    giving({
      gen: [
        { class: 'sibling', ...noop },
        { class: 'inner', ...noop, generator: true },
        { class: 'after', ...noop, parents: ['inner'] },
      ],
      'gen.inner': inner,
    }),
  );

  expect(run.started.slice(-4)).toEqual(['gen.inner.x', 'gen.inner.y', 'gen.after', 'collect']);
  expect(await run.state()).toBe('succeeded');
  await expectSound(run);
});

test('the rules of children are about all that was generated', async () => {
  await using run = await GrowingRun.submit(redis, [
    generator,
    { class: 'all', parents: ['gen'] },
    { class: 'done', parents: ['gen'], runIf: 'all-done' },
    { class: 'any', parents: ['gen'], runIf: 'any-succeeded' },
    { class: 'oops', parents: ['gen'], runIf: 'any-failed' },
    { class: 'none', parents: ['gen'], runIf: 'none-failed' },
  ]);

  await run.play((id) => ({
    outcome: id === 'gen.part-1' ? 'failed' : 'succeeded',
    set: id === 'gen' ? entries(3) : [],
  }));

  expect(await run.states()).toMatchObject({
    all: 'upstream-failed',
    done: 'succeeded',
    any: 'succeeded',
    oops: 'succeeded',
    none: 'upstream-failed',
  });
  await expectSound(run);
});

test('what is wrong with a set fails the attempt, says all of it, and changes nothing else', async () => {
  await using run = await GrowingRun.submit(redis, [
    generator,
    collect,
    { class: 'late', parents: ['collect'] },
  ]);
  const delivery = await run.claimOnly();
  const set = [
    { class: 'a', ...noop, parents: ['late'] },
    { class: 'b', ...noop, parents: ['gen', 'nobody'] },
    { class: 'c', executor: 'nop' },
  ];

  const answer = await run.join(delivery, set);

  expect(answer).toMatchObject({ outcome: 'failed', reason: 'output-invalid' });
  expect('message' in answer ? answer.message.split('\n') : []).toEqual([
    'the generated tasks are wrong (4 issues)',
    expect.stringMatching(
      /^tasks\[2\]\.executor .*no executor is named "nop" \(did you mean "noop"\?\)/,
    ),
    expect.stringMatching(
      /^tasks\[0\]\.parents\[0\] .*"late" waits for the generator, so nothing .* cycle$/,
    ),
    expect.stringMatching(/^tasks\[1\]\.parents\[0\] .*"gen" is the generator itself/),
    expect.stringMatching(
      /^tasks\[1\]\.parents\[1\] .*no task has the class "nobody", neither in the set nor in the run$/,
    ),
  ]);
  expect(await run.counts()).toEqual({ waiting: 2, running: 1 });
  await expectSound(run);
});

test('of a run that is being cancelled nothing grows', async () => {
  await using run = await GrowingRun.submit(redis, [generator, collect]);
  const delivery = await run.claimOnly();
  await redis.hset(run.driver.run.names.meta, 'halt', 'cancel');

  expect(await run.join(delivery, entries(3))).toEqual({ outcome: 'cancelled' });
  expect(await redis.exists(run.driver.run.names.generated)).toBe(0);
});

test.each([1, 2, 3, 5])('edges that came later are visited once each, %i a page', async (edges) => {
  await using run = await GrowingRun.submit(redis, [
    { class: 'slow' },
    ...Array.from({ length: 4 }, (_, index) => ({ class: `own${index}`, parents: ['slow'] })),
    generator,
    collect,
  ]);
  const rules = ['none-failed', 'any-succeeded', 'any-failed', 'all-done'] as const;
  const set = [
    ...rules.map((runIf) => ({ class: runIf, ...noop, runIf, parents: ['slow'] })),
    ...(['succeeded', 'failed', 'done'] as const).map((on) => ({
      ...{ class: `on-${on}`, ...noop, parents: [{ class: 'slow', on }] },
    })),
  ];
  await run.play((id) => (id === 'slow' ? null : { outcome: 'succeeded', set }), edges);
  expect((await run.states())['gen.on-done']).toBe('waiting');

  await run.play(giving({}), edges);

  expect(await run.states()).toMatchObject({
    ...{ own0: 'succeeded', own3: 'succeeded', collect: 'skipped' },
    ...{ 'gen.none-failed': 'succeeded', 'gen.any-succeeded': 'succeeded' },
    ...{ 'gen.any-failed': 'skipped', 'gen.all-done': 'succeeded' },
    ...{ 'gen.on-succeeded': 'succeeded', 'gen.on-failed': 'skipped', 'gen.on-done': 'succeeded' },
  });
  await expectSound(run);
});

test("a generator may write for DaggyR: its dialect's tasks join as others do", async () => {
  await using run = await GrowingRun.submit(redis, [
    { class: 'early' },
    { class: 'gen', generator: 'daggyr', parents: ['early'] },
    collect,
  ]);
  const command = { command: ['echo', '{{x}}'] };
  const set = {
    one: { details: command, children: ['two'] },
    two: { details: command, parents: ['early'] },
  };

  await run.play((id) => ({ outcome: 'succeeded', set: id === 'gen' ? set : [] }));

  expect(run.refused).toEqual([]);
  expect(run.started).toEqual(['early', 'gen', 'gen.one', 'gen.two', 'collect']);
  await expectSound(run);
});
