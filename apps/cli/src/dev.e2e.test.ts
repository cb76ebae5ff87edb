import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { z } from 'zod';
import { runCommand, startCommand, temporaryFolder } from './command-for-tests.ts';
import { readDevFile } from './dev/dev-file.ts';
import { findFreePort } from './dev/free-port.ts';
import { isAlive } from './dev/is-alive.ts';

const timeout = 60_000;

const workerList = z.array(z.object({ pid: z.number() }));

async function readWorkerPids(folder: string): Promise<readonly number[]> {
  const { stdout } = await runCommand(folder, 'workers', '--json');
  return workerList.parse(JSON.parse(stdout)).map(({ pid }) => pid);
}

async function startDev(folder: string, ...argv: readonly string[]) {
  const port = String(await findFreePort());
  const dev = startCommand(folder, 'dev', '--memory', '--port', port, ...argv);
  await dev.waitFor('in this folder:');
  return dev;
}

test('is found by other commands of its folder and ends in order', { timeout }, async () => {
  using folder = temporaryFolder();
  writeFileSync(join(folder.path, 'run.json'), '{"tasks":[{"class":"a","executor":"noop"}]}');
  using dev = await startDev(folder.path, '--workers', '2');

  const run = await runCommand(folder.path, 'run', 'run.json');
  const second = await runCommand(folder.path, 'dev');
  const workers = await readWorkerPids(folder.path);
  dev.child.kill('SIGTERM');

  expect(await dev.end()).toBe(0);
  expect(run.stderr).not.toContain('running here');
  expect(run.code).toBe(0);
  expect(second.stderr).toContain('runs in this folder already');
  expect(second.code).toBe(2);
  expect(workers).toHaveLength(2);
  expect(workers.filter(isAlive)).toEqual([]);
  expect(readDevFile(folder.path)).toBeNull();
});

test('the curl that it prints starts a run', { timeout }, async () => {
  using folder = temporaryFolder();
  using dev = await startDev(folder.path);
  const [, url = '', body = ''] =
    /curl -s (\S+) -H 'Content-Type: application\/json' -d '(.*)'/.exec(dev.stderr()) ?? [];

  const headers = { 'Content-Type': 'application/json' };
  const response = await fetch(url, { method: 'POST', headers, body });
  dev.child.kill('SIGTERM');
  await dev.end();

  expect(response.status).toBe(201);
});

test('starts a worker again that was killed', { timeout }, async () => {
  using folder = temporaryFolder();
  using dev = await startDev(folder.path);
  const [killed = 0] = await readWorkerPids(folder.path);

  process.kill(killed, 'SIGKILL');
  await dev.waitFor('worker ended (SIGKILL); it starts again');
  dev.child.kill('SIGTERM');

  expect(await dev.end()).toBe(0);
});

test('leaves nothing behind when it is killed', { timeout }, async () => {
  using folder = temporaryFolder();
  writeFileSync(
    join(folder.path, 'nap.json'),
    JSON.stringify({
      tasks: [{ class: 'nap', executor: 'local', details: { command: ['sleep', '61.25'] } }],
    }),
  );
  using dev = await startDev(folder.path);
  const workers = await readWorkerPids(folder.path);
  const { pid } = readDevFile(folder.path) ?? { pid: 0 };
  using run = startCommand(folder.path, 'run', 'nap.json');
  await run.waitFor('1 running');

  process.kill(pid, 'SIGKILL');

  while (workers.some(isAlive)) await sleep(20);
  await dev.end();
  expect(readDevFile(folder.path)).toBeNull();
});
