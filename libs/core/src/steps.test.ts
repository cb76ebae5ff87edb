import { expect, test } from 'vitest';
import { finishInTurns, finishSteps, type Steps } from './steps.ts';

function* count(to: number): Steps<number> {
  let sum = 0;
  for (let index = 1; index <= to; index++) {
    sum += index;
    yield;
  }
  return sum;
}

test('work in steps comes to the same result at once and in turns', async () => {
  expect(finishSteps(count(4))).toBe(10);
  expect(await finishInTurns(count(4), 0)).toBe(10);
});

test('others have a turn in between', async () => {
  let isServed = false;
  function* wait(): Steps<boolean> {
    for (let index = 0; index < 1000 && !isServed; index++) yield;
    return isServed;
  }
  setImmediate(() => {
    isServed = true;
  });

  expect(await finishInTurns(wait(), 0)).toBe(true);
});

test('an error comes through', async () => {
  // biome-ignore lint/correctness/useYield: it fails before its first step
  function* fail(): Steps<never> {
    throw new Error('no');
  }

  expect(() => finishSteps(fail())).toThrow('no');
  await expect(finishInTurns(fail())).rejects.toThrow('no');
});
