import { describe, expect, test } from 'vitest';
import { options } from './expand.test-kit.ts';
import { expandSpec } from './expand.ts';

const noop = { executor: 'noop' };
const large = { ...options, limits: { maxTasks: 16_000_000, maxProduct: 16_000_000 } };

/** Bounds are generous: they are to find what grows with the square. */
const seconds = (count: number) => count * 1000;

describe('a large spec', () => {
  test('of a million combinations is expanded without a million objects', {
    timeout: seconds(30),
  }, () => {
    const axis = { from: 0, to: 999 };
    const spec = {
      parameters: { A: axis, B: axis },
      tasks: [
        { class: 'a', ...noop, details: { x: '{{A}} {{B}}' } },
        {
          class: 'b',
          ...noop,
          details: { x: '{{A}} {{B}}' },
          parents: [{ class: 'a', match: true }],
        },
        { class: 'c', ...noop, details: { x: '{{A}}' }, parents: ['b'] },
      ],
    };

    const { plan } = expandSpec(spec, large);

    expect(plan.nodeCount).toBe(2_001_001);
    expect(plan.barrierCount).toBe(1);
    expect(plan.parents.length).toBe(1_000_000 + 1000 + 1_000_000);
    expect(plan.parents[plan.parentOffsets[1_999_999] ?? 0]).toBe(999_999);
    expect([...plan.groupRanges]).toEqual([0, 0, 1_000_000, 1, 2_000_000, 2, 2_001_000, 3]);
    let count = 0;
    for (const payload of plan.payloads()) count += payload.values.length;
    expect(count).toBe(4_001_000);
  });

  test('of 100,000 irregular tasks takes linear time and few groups', {
    timeout: seconds(60),
  }, () => {
    const tasks = Array.from({ length: 100_000 }, (_, index) => ({
      class: 'work',
      id: `t${index}`,
      ...noop,
      details: { n: index },
      parents: index < 2 ? [] : [{ id: `t${index - 1}` }, { id: `t${index >> 1}` }],
    }));

    const { plan } = expandSpec({ tasks }, large);

    expect(plan.nodeCount).toBe(100_000);
    expect(plan.groups.length).toBe(3);
    expect(plan.parents.length).toBe(199_996 - 1);
    expect([...plan.parents.subarray(plan.parentOffsets[99_999])]).toEqual([49_999, 99_998]);
  });

  test('that is one long cycle is refused', { timeout: seconds(60) }, () => {
    const tasks = Array.from({ length: 50_000 }, (_, index) => ({
      class: `c${index}`,
      ...noop,
      parents: [`c${(index + 49_999) % 50_000}`],
    }));

    expect(() => expandSpec({ tasks }, large)).toThrow(
      'tasks[0]: the tasks wait for each other: c0 → c1 → c2 → c3 → c4 → c5 → c6 → c7 → c8 → c9 → … → c49992 →',
    );
  });

  test('with a mistake in every task answers with a hundred of them', () => {
    const tasks = Array.from({ length: 1000 }, (_, index) => ({ class: `c${index}`, colour: 1 }));

    expect(() => expandSpec({ tasks }, large)).toThrow(/tasks\[99\].*\nand 900 more$/);
  });
});
