import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { text } from 'node:stream/consumers';
import { expect, inject, test } from 'vitest';
import { startTestApi } from '../api.test-kit.ts';
import { daggyrRoutes } from './routes.ts';

const docs = readFileSync(
  new URL('../../../../docs/migrating-from-daggyr.md', import.meta.url),
  'utf8',
);

test('the commands in docs/migrating-from-daggyr.md work', async () => {
  await using api = await startTestApi(inject('redisUrl'));
  const [, first = ''] = /```sh\n(curl.*?)```/s.exec(docs) ?? [];

  const shell = spawn('sh', ['-e', '-c', first.replaceAll('http://127.0.0.1:2503', api.api.url)]);
  const [output] = await Promise.all([text(shell.stdout), once(shell, 'exit')]);

  expect(shell.exitCode).toBe(0);
  expect(output).toContain('{"run_id":0}');
  expect(output).toContain('"state":"Running"');
  expect(output).toContain('"command":["echo","pull","2022-01-01"]');
});

test('docs/migrating-from-daggyr.md names every route', () => {
  const table = docs.slice(docs.indexOf('## Routes'), docs.indexOf('### States'));
  const ends = daggyrRoutes.map(({ method, path }) => [
    method.toUpperCase(),
    path.split('/').at(-1),
  ]);

  for (const [method, end] of ends) {
    expect(table).toMatch(new RegExp(`${method} [^|]*${RegExp.escape(end ?? '')}\``));
  }
});
