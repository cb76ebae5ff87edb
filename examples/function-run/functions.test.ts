import { expect, test } from 'vitest';
import { averageDarts, pickBest, throwDarts } from './functions.ts';

const context = {
  run: { id: 'r', name: null },
  task: { id: 't', number: 0, class: 't', attempt: 1 },
  idempotencyKey: 'r.0.1',
  inputs: {},
  log: () => undefined,
  secret: () => Promise.reject(new Error('there are none here')),
  signal: new AbortController().signal,
};

test('gives the same estimate for the same seed, and another for another', async () => {
  const estimates = await Promise.all(
    [1, 1, 2].map((seed) => throwDarts.run({ seed, darts: 1000 }, context)),
  );

  expect(estimates[0]).toEqual({ darts: 1000, inside: 774, pi: 3.096 });
  expect(estimates[1]).toEqual(estimates[0]);
  expect(estimates[2]).not.toEqual(estimates[0]);
});

test('comes close to π with many darts', async () => {
  const estimates = await Promise.all(
    [1, 2, 3, 4].map((seed) => throwDarts.run({ seed, darts: 100_000 }, context)),
  );
  const average = await averageDarts.run({ estimates }, context);

  const best = await pickBest.run({ averages: [{ darts: 1, mean: 0 }, average] }, context);

  expect(average).toMatchObject({ darts: 400_000 });
  expect(best).toMatchObject({ darts: 400_000, pi: expect.closeTo(Math.PI, 2) });
});
