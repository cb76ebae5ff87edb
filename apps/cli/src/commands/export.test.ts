import { writeFile } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { UsageError } from '../exit-codes.ts';
import { toUsageError } from './export.ts';

test('a place that can not be written to is told as wrong usage', async () => {
  const error = await writeFile('/nonexistent/run.ndjson', '').catch((caught: unknown) => caught);

  const told = toUsageError(error, '/nonexistent/run.ndjson');

  expect(told).toBeInstanceOf(UsageError);
  expect(String(told)).toContain("/nonexistent/run.ndjson can't be written: ENOENT");
});

test('another error stays what it is', () => {
  const error = new TypeError('x');

  expect(toUsageError(error, 'run.ndjson')).toBe(error);
});
