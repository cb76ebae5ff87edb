import { expect, test } from 'vitest';
import { Rate } from './rate.ts';

test('needs two looks', () => {
  const rate = new Rate();
  rate.add(0, 10);

  expect(rate.perSecond).toBeNull();
});

test('measures the last seconds, not the whole', () => {
  const rate = new Rate();
  for (let second = 0; second <= 10; second++) rate.add(second * 1000, second * 100);
  for (let second = 11; second <= 20; second++) rate.add(second * 1000, 1000 + (second - 10) * 2);

  expect(rate.perSecond).toBe(2);
});
