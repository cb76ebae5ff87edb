import { openExecutor } from '@runnel/testing/executor-harness';
import { executorSuite } from '@runnel/testing/executor-suite';
import { expect, test } from 'vitest';
import { sleep } from './index.ts';

executorSuite('sleep', {
  executor: sleep,
  cases: { success: { ms: 1 }, endless: { details: { ms: 1_000_000 } } },
});

test('waits for all tasks of a batch at the same time', async () => {
  await using harness = await openExecutor(sleep);

  const ends = await harness.runBatch([200, 100, 150].map((ms) => ({ details: { ms } })));

  expect(ends.map((end) => end.order)).toEqual([2, 0, 1]);
});
