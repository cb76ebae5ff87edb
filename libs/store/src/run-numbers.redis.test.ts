import { randomBytes } from 'node:crypto';
import { armFailpoints } from '@runnel/core';
import { Redis } from 'ioredis';
import { afterAll, afterEach, beforeAll, expect, inject, test } from 'vitest';
import { shardKey, shardOf, storeKey } from './keys.ts';
import {
  findNumberedRun,
  forgetGoneNumbers,
  listAllRuns,
  numberRuns,
  readRunNumbers,
} from './run-numbers.ts';

let redis: Redis;
beforeAll(() => {
  redis = new Redis(inject('redisUrl'));
});
afterAll(() => redis.disconnect());
afterEach(() => armFailpoints(undefined));

function newNamespace(): string {
  return `t${randomBytes(6).toString('hex')}`;
}

test('runs are numbered from 0 and keep their numbers', async () => {
  const namespace = newNamespace();

  expect(await numberRuns(redis, namespace, ['a', 'b'])).toEqual([0, 1]);
  expect(await numberRuns(redis, namespace, ['c', 'a', 'b'])).toEqual([2, 0, 1]);
  expect(await findNumberedRun(redis, namespace, 2)).toBe('c');
  expect(await findNumberedRun(redis, namespace, 3)).toBeNull();
});

test('numbers are read without giving any', async () => {
  const namespace = newNamespace();
  await numberRuns(redis, namespace, ['a', 'b']);

  expect(await readRunNumbers(redis, namespace, ['b', 'a'])).toEqual([1, 0]);
  expect(await readRunNumbers(redis, namespace, ['b', 'c'])).toBeNull();
  expect(await readRunNumbers(redis, namespace, [])).toEqual([]);
  expect(await findNumberedRun(redis, namespace, 2)).toBeNull();
});

test('who asks for the number of a run at the same time as others gets the same', async () => {
  const namespace = newNamespace();

  const answers = await Promise.all(
    Array.from({ length: 20 }, () => numberRuns(redis, namespace, ['a', 'b', 'c'])),
  );

  expect(new Set(answers.map(String)).size).toBe(1);
  expect(new Set(answers[0]).size).toBe(3);
});

test('more runs than one step takes are numbered in their order', async () => {
  const ids = Array.from({ length: 1_203 }, (_, index) => `r${index}`);

  expect(await numberRuns(redis, newNamespace(), ids)).toEqual(ids.map((_, index) => index));
});

test('where it breaks off between counting and giving, a number is left out, and none is given twice', async () => {
  const namespace = newNamespace();
  armFailpoints('number.after-count=error@1');

  await expect(numberRuns(redis, namespace, ['a'])).rejects.toThrow('number.after-count');
  armFailpoints(undefined);

  expect(await numberRuns(redis, namespace, ['b', 'a'])).toEqual([1, 2]);
});

test('numbers of runs that are gone are forgotten, those of others are not', async () => {
  const namespace = newNamespace();
  const ids = Array.from({ length: 1_300 }, (_, index) => `r${index}`);
  const isThere = (_: string, index: number) => index % 3 === 0;
  await numberRuns(redis, namespace, ids);
  for (const [index, id] of ids.filter(isThere).entries()) {
    await redis.zadd(shardKey(namespace, shardOf(id), 'runs'), index, id);
  }

  const runs = await listAllRuns(redis, namespace);
  const archived = new Set(['r1', 'r1111']);
  const forgotten = await forgetGoneNumbers(redis, namespace, async (asked) =>
    asked.filter((id) => archived.has(id)),
  );

  expect(runs.map(({ id }) => id)).toEqual(ids.filter(isThere));
  expect(forgotten).toBe(1_300 - 434 - 2);
  expect(await redis.zcard(storeKey(namespace, 'runNumbers'))).toBe(434 + 2);
  const asked = ['r1299', 'r1298', 'r1111'];
  expect(await numberRuns(redis, namespace, asked)).toEqual([1_299, 1_300, 1_111]);
});
