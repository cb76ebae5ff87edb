import type { WireEstimate } from '@runnel/client';
import { expect, test } from 'vitest';
import { Remaining } from './remaining.ts';

function answering(answers: readonly (number | null | Error)[]) {
  let asked = 0;
  return {
    asked: () => asked,
    getEstimate: async (): Promise<WireEstimate> => {
      const answer = answers[asked++] ?? null;
      if (answer instanceof Error) throw answer;
      return { remainingMs: answer, endsAt: null, path: [], unmeasured: [] };
    },
  };
}

const settle = () => new Promise((resolve) => setImmediate(resolve));

test('counts down from the last estimate and asks again every five seconds', async () => {
  const client = answering([60_000, 40_000]);
  const remaining = new Remaining(client, 'run', 0);

  expect(remaining.remainingMs(1_000)).toBeNull();
  expect(client.asked()).toBe(0);
  expect(remaining.remainingMs(2_000)).toBeNull();
  await settle();
  expect(remaining.remainingMs(6_000)).toBe(56_000);
  expect(client.asked()).toBe(1);
  remaining.remainingMs(7_000);
  await settle();
  expect(remaining.remainingMs(8_000)).toBe(39_000);
});

test('shows nothing where nothing was measured or the server does not answer', async () => {
  const client = answering([null, new Error('away')]);
  const remaining = new Remaining(client, 'run', 0);

  for (const now of [2_000, 3_000, 7_000, 8_000]) {
    expect(remaining.remainingMs(now)).toBeNull();
    await settle();
  }
  expect(client.asked()).toBe(2);
});
