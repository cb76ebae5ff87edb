import { expect, test } from 'vitest';
import { WaitingLine } from './waiting-line.ts';

const never = new AbortController().signal;

test('serves the longest waiting first', async () => {
  const line = new WaitingLine<string>();
  const [first, second] = [line.wait(never), line.wait(never)];

  expect(line.serve('a')).toBe(true);
  expect(line.serve('b')).toBe(true);

  expect(await Promise.all([first, second])).toEqual(['a', 'b']);
  expect(line.serve('c')).toBe(false);
  expect(line.since).toBe(null);
});

test('passes over who has given up', async () => {
  const line = new WaitingLine<string>();
  const abort = new AbortController();
  const [first, second] = [line.wait(abort.signal), line.wait(never)];

  abort.abort();
  line.serve('a');

  expect(await Promise.all([first, second])).toEqual([null, 'a']);
  expect(await line.wait(abort.signal)).toBe(null);
});
