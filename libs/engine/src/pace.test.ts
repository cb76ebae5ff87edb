import type { StoredGroup } from '@runnel/store';
import { groupOf } from '@runnel/testing';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { feedInParts, Pace } from './pace.ts';

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] });
});

afterEach(() => {
  vi.useRealTimers();
});

const group: StoredGroup = groupOf(
  { isBarrier: false, retries: 0, allowFailure: false },
  'c',
) as StoredGroup;

/** Feeds tasks that take so many ms; tells the parts, and what was handed back. */
async function feed(durations: readonly number[], pace = new Pace()) {
  const parts: number[] = [];
  const handedBack: number[] = [];
  const fed = feedInParts(pace, {
    group,
    tasks: durations.map((_, index) => index),
    signal: new AbortController().signal,
    run: async (part) => {
      parts.push(part.length);
      let tookMs = 0;
      for (const task of part) {
        await new Promise((ended) => setTimeout(ended, durations[task]));
        tookMs += durations[task] ?? 0;
      }
      return tookMs;
    },
    handBack: (rest) => handedBack.push(...rest),
  });
  await vi.runAllTimersAsync();
  await fed;
  return { parts, handedBack };
}

test('the first part is one task, the next as many as 50 ms hold', async () => {
  const { parts, handedBack } = await feed(Array.from({ length: 32 }, () => 2));

  expect(parts).toEqual([1, 25, 6]);
  expect(handedBack).toEqual([]);
});

test('what is known of a group counts in its next delivery', async () => {
  const pace = new Pace();
  await feed([10, 10], pace);

  expect((await feed([10, 10, 10, 10, 10, 10], pace)).parts).toEqual([5, 1]);
});

test('what stands behind a slow task is handed back', async () => {
  const { parts, handedBack } = await feed([5, 5, 2_000, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5]);

  // The slow one is in the second part, whose tasks have to wait; the third never starts.
  expect(parts).toEqual([1, 10]);
  expect(handedBack).toEqual([11, 12, 13]);
});

test('slow tasks that nobody expected are handed back but for those that ran', async () => {
  const { parts, handedBack } = await feed(Array.from({ length: 8 }, () => 150));

  expect(parts).toEqual([1, 1, 1]);
  expect(handedBack).toEqual([3, 4, 5, 6, 7]);
});
