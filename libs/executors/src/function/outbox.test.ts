import { expect, test } from 'vitest';
import { createOutbox, outboxBytes, readOutbox, writeOutbox } from './outbox.ts';

test('hands over what was written since the last look', () => {
  const shared = createOutbox();
  const [writer, reader] = [writeOutbox(shared), readOutbox(shared)];

  writer.write('["ready"]');
  writer.write('["log",1,"grüße"]');

  expect(reader.read()).toBe('["ready"],["log",1,"grüße"]');
  expect(reader.read()).toBe('');
  writer.write('["idle"]');
  expect(reader.read()).toBe('["idle"]');
});

test('refuses what does not fit, whole, until it is cleared', () => {
  const shared = createOutbox();
  const [writer, reader] = [writeOutbox(shared), readOutbox(shared)];

  expect(writer.write('x'.repeat(outboxBytes))).toBe(false);
  expect(writer.write('x'.repeat(outboxBytes - 1))).toBe(true);
  expect(writer.write('y')).toBe(false);
  expect(reader.read()).toHaveLength(outboxBytes - 1);
  reader.clear();
  expect(writer.write('y')).toBe(true);
  expect(reader.read()).toBe('y');
});
