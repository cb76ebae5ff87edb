import { expect, test } from 'vitest';
import { renderMeasures, renderSimulation } from './render-plan.ts';

test('says how large a run would be', () => {
  const lines = renderMeasures({
    ...{ tasks: 3, edges: 2, redisBytes: 5_120 },
    classes: [{ class: 'pull', tasks: 2, edges: 0 }],
    longestPath: {
      tasks: 3,
      classes: [
        { class: 'pull', tasks: 1 },
        { class: 'clean', tasks: 2 },
      ],
    },
    widestLayer: { layer: 1, tasks: 2 },
  });

  expect(lines).toEqual([
    'CLASS  TASKS  EDGES',
    'pull   2      0',
    '',
    'longest path  3 tasks: pull → clean ×2',
    'widest layer  2 tasks, one step from the roots',
    'in Redis      about 5.1 KB when it has ended, without outputs and logs',
  ]);
});

test('tells a simulated run, its path by class, and what would shorten it', () => {
  const part = { class: 'pull', tasks: 1, runMs: 2_000, slotMs: 0, retryMs: 500 };
  const lines = renderSimulation(
    {
      ...{ makespanMs: 10_000, state: 'succeeded', tasks: { succeeded: 3 }, attempts: 4 },
      pools: [{ queue: 'default', slots: 2, peakBusy: 2, peakWaiting: 1, utilization: 0.5 }],
      path: [part, { ...part, class: 'clean' }, part],
    },
    [{ kind: 'slots', queue: 'default', slots: 4, makespanMs: 6_000 }],
  );

  expect(lines.join('\n')).toBe(`makespan      10.0 s, succeeded: 3 succeeded in 4 attempts

QUEUE    SLOTS  BUSY AT MOST  WAITING AT MOST  USED
default  2      2             1                50 %

CRITICAL PATH  TASKS  RUNNING  FOR A SLOT  RETRIES
pull           2      4.0 s    0 ms        1.0 s
clean          1      2.0 s    0 ms        500 ms

What would shorten it:
  4 slots for default: 6.0 s (−40 %)`);
});
