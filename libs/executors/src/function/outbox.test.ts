import { expect, test } from 'vitest';
import { createOutbox, maxWordless, outboxBytes, readOutbox, writeOutbox } from './outbox.ts';

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

test('hands over ends without words', () => {
  const shared = createOutbox();
  const [writer, reader] = [writeOutbox(shared), readOutbox(shared)];

  expect(reader.ended()).toBe(0);
  writer.end(0, 0.25);
  writer.end(1, 3);

  expect(reader.ended()).toBe(2);
  expect([reader.durationMs(0), reader.durationMs(1)]).toEqual([0.25, 3]);
  expect(writer.end(maxWordless, 1)).toBe(false);
  reader.clear();
  expect(reader.ended()).toBe(0);
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
