import { expect, test } from 'vitest';
import { slotOfTag } from './slots.ts';

test('finds the slots that Redis finds', () => {
  // The example of the Cluster specification, and CLUSTER KEYSLOT of a server.
  expect(slotOfTag('123456789')).toBe(12_739);
  expect(slotOfTag('foo')).toBe(12_182);
  expect(slotOfTag('')).toBe(0);
});
