import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';

test('a short run of some nemeses finds nothing wrong', async () => {
  const main = join(import.meta.dirname, 'main.ts');
  const some = 'kill-worker,kill-listener,kill-redis,duplicates';

  const run = promisify(execFile)(process.execPath, [
    ...[main, '--only', some, '--minutes', '0.4', '--seed', '1'],
  ]);
  const { stdout } = await run.catch((error: { stdout: string }) => error);

  expect(stdout).toContain('| nemesis');
  expect(stdout).not.toContain('VIOLATION');
}, 240_000);
