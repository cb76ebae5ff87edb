import fc from 'fast-check';
import { expect, test } from 'vitest';
import { EventQueue } from './event-queue.ts';

test('gives events by time, and of equal times the first one first', () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 0, max: 20 }), { maxLength: 3_000 }), (times) => {
      const queue = new EventQueue();
      times.forEach((time, value) => {
        queue.push(time, value);
      });

      const got = times.map(() => [queue.time, queue.pop()]);

      const sorted = times.map((time, value) => [time, value]);
      expect(got).toEqual(sorted.sort(([a = 0, x = 0], [b = 0, y = 0]) => a - b || x - y));
      expect([queue.length, queue.time]).toEqual([0, Number.POSITIVE_INFINITY]);
    }),
  );
});
