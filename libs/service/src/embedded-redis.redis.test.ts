import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { SetupError } from '@runnel/core';
import { Redis } from 'ioredis';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startEmbeddedRedis } from './embedded-redis.ts';

let folder = '';
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'runnel-embedded-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

test('keeps its data over a restart, in a folder that only its owner can read', async () => {
  const dir = join(folder, 'kept');
  const first = await startEmbeddedRedis({ dir });
  await command(first.url, ['SET', 'river', 'runnel']);
  await first[Symbol.asyncDispose]();

  await using second = await startEmbeddedRedis({ dir });

  expect(await command(second.url, ['GET', 'river'])).toBe('runnel');
  expect(await command(second.url, ['CONFIG', 'GET', 'maxmemory-policy'])).toContain('noeviction');
  expect(await command(second.url, ['CONFIG', 'GET', 'appendfsync'])).toContain('everysec');
  expect(statSync(dir).mode & 0o077).toBe(0);
  expect(statSync(join(dir, 'embedded.json')).mode & 0o077).toBe(0);
});

test('refuses commands without the password', async () => {
  await using redis = await startEmbeddedRedis({ memory: true });

  await expect(command(`redis://127.0.0.1:${redis.port}`, ['DBSIZE'])).rejects.toThrow('NOAUTH');
});

test('leaves nothing on disk in memory mode', async () => {
  await using redis = await startEmbeddedRedis({ memory: true });

  expect(await command(redis.url, ['CONFIG', 'GET', 'appendonly'])).toContain('no');
  expect(await command(redis.url, ['CONFIG', 'GET', 'save'])).toContain('');
});

test('refuses a second server on the same folder and names the first', async () => {
  const dir = join(folder, 'one-at-a-time');
  await using first = await startEmbeddedRedis({ dir });

  await expect(startEmbeddedRedis({ dir })).rejects.toThrow(
    `already runs in ${dir} (process ${first.pid}, port ${first.port}`,
  );
});

test('lets only one of two simultaneous starts have the folder', async () => {
  const dir = join(folder, 'race');

  const starts = await Promise.allSettled([
    startEmbeddedRedis({ dir }),
    startEmbeddedRedis({ dir }),
  ]);

  expect(starts.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
  for (const start of starts) {
    if (start.status === 'fulfilled') await start.value[Symbol.asyncDispose]();
  }
});

test('starts after a crash that left the claim of a dead process', async () => {
  const dir = join(folder, 'crashed');
  await (await startEmbeddedRedis({ dir }))[Symbol.asyncDispose]();
  writeFileSync(join(dir, 'embedded.json'), '{"id":"a","owner":4194303,"server":null}');

  await using redis = await startEmbeddedRedis({ dir });

  expect(await command(redis.url, ['PING'])).toBe('PONG');
});

test('gives the claim of a dead process to only one of several that start', async () => {
  const dir = join(folder, 'crashed-race');
  mkdirSync(dir);
  writeFileSync(join(dir, 'embedded.json'), '{"id":"a","owner":4194303,"server":null}');

  const starts = await Promise.allSettled(
    Array.from({ length: 5 }, () => startEmbeddedRedis({ dir })),
  );

  expect(starts.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
  for (const start of starts) {
    if (start.status === 'fulfilled') await start.value[Symbol.asyncDispose]();
  }
});

test('names a port that is taken', async () => {
  const taken = createServer().listen(0, '127.0.0.1');
  await once(taken, 'listening');
  const address = taken.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;

  await expect(startEmbeddedRedis({ memory: true, port })).rejects.toThrow(
    new SetupError(`port ${port} is taken: choose another, or none for a free one`),
  );

  taken.close();
});

test('ends with a process that was killed, and the next start gets the folder', async () => {
  const dir = join(folder, 'orphan');
  const module = new URL('./embedded-redis.ts', import.meta.url).href;
  const program = `
    const { startEmbeddedRedis } = await import(${JSON.stringify(module)});
    const { url } = await startEmbeddedRedis({ dir: ${JSON.stringify(dir)} });
    process.stdout.write(url);
    setInterval(() => undefined, 1000);
  `;
  const owner = spawn(process.execPath, ['--input-type=module', '-e', program]);
  const [url] = await once(owner.stdout, 'data');

  owner.kill('SIGKILL');
  await once(owner, 'exit');
  await using next = await startEmbeddedRedis({ dir });

  await expect(command(String(url), ['PING'])).rejects.toThrow();
  expect(await command(next.url, ['PING'])).toBe('PONG');
});

async function command(url: string, [name = '', ...args]: readonly string[]): Promise<unknown> {
  const redis = new Redis(url, { lazyConnect: true, retryStrategy: () => null });
  redis.on('error', () => undefined);
  try {
    return await redis.call(name, ...args);
  } finally {
    redis.disconnect();
  }
}
