import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempDisposableSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { expect, inject, test } from 'vitest';
import { startTestApi } from './api.test-kit.ts';
import { allRoutes } from './routes/all.ts';

const docs = readFileSync(new URL('../../../docs/api.md', import.meta.url), 'utf8');

test('the commands in docs/api.md work', async () => {
  await using api = await startTestApi(inject('redisUrl'));
  const script = [...docs.matchAll(/```sh\n(.*?)```/gs)].map(([, one]) => one).join('\n');

  // Some write files where they are.
  using folder = mkdtempDisposableSync(join(tmpdir(), 'runnel-docs-'));
  const command = script.replaceAll('http://127.0.0.1:2503', api.api.url);
  const shell = spawn('sh', ['-e', '-c', command], { cwd: folder.path });
  const [output] = await Promise.all([text(shell.stdout), once(shell, 'exit')]);

  expect(shell.exitCode).toBe(0);
  expect(output).toContain('"tasks":1,"warnings":[]');
  expect(output).toContain('"name":"hello"');
  expect(output).toContain('"tasks":3,"warnings":[]');
});

test('docs/api.md lists every route, and no other', () => {
  const listed = [...docs.matchAll(/^\| `(GET|POST|PUT|DELETE|PATCH) (\/\S*)` \|/gm)].map(
    ([, method, path]) => `${method} ${path}`,
  );

  const served = allRoutes.map(({ method, path }) => `${method.toUpperCase()} ${path}`);
  expect(listed.sort()).toEqual([...served, 'GET /board'].sort());
});
