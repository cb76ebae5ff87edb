import { test } from 'vitest';
import { playGraphs, startForGraphs } from './play-graphs.ts';

test('50 random graphs of up to 300 tasks end as the table says, with replicas of everything', async () => {
  await using stack = await startForGraphs();

  await playGraphs(stack, 50);
}, 300_000);
