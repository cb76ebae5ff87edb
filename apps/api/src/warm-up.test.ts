import { executorCatalog, loadExecutors } from '@runnel/executors';
import { expandSpec, parseDocument } from '@runnel/spec';
import { expect, test } from 'vitest';
import { sample } from './warm-up.ts';

test('the sample goes all the way that a spec goes', async () => {
  const { plan } = expandSpec(parseDocument(sample, 'json').value, {
    limits: { maxTasks: 100, maxProduct: 100 },
    executors: executorCatalog(await loadExecutors()),
    pools: ['default'],
  });

  expect(plan.nodeCount).toBe(22);
});
