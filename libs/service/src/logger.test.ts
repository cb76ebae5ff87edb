import { expect, test } from 'vitest';
import { createLogger } from './logger.ts';

function collect() {
  const lines: string[] = [];
  return { lines, to: { write: (line: string) => lines.push(line) } };
}

test('writes JSON lines with the name of the process', () => {
  const { lines, to } = collect();

  createLogger({ name: 'worker', level: 'info', to }).info({ pool: 'gpu' }, 'started');

  expect(JSON.parse(lines[0] ?? '')).toMatchObject({ name: 'worker', pool: 'gpu', msg: 'started' });
});

test('masks secrets wherever they stand', () => {
  const { lines, to } = collect();
  const log = createLogger({ name: 'api', level: 'info', secrets: ['s3cret-token', null], to });

  log.info({ headers: { authorization: 'Bearer other' } }, 'no token s3cret-token here');
  log.error({ err: new Error('connect redis://app:hunter22@redis:6379') }, 'failed');

  const text = lines.join('');
  expect(text).not.toMatch(/s3cret-token|Bearer other|hunter22/);
  expect(text).toContain('redis://app:***@redis:6379');
});
