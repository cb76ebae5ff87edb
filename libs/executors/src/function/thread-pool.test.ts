import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { ThreadPool, type ThreadPoolOptions } from './thread-pool.ts';

const never = new AbortController().signal;
const hourMs = 3_600_000;

let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'runnel-threads-'));
});

afterEach(() => rm(folder, { recursive: true, force: true }));

function openPool(settings: Partial<ThreadPoolOptions>): ThreadPool {
  const modules = [fileURLToPath(new URL('./functions-for-tests.ts', import.meta.url))];
  return new ThreadPool({ modules, environment: {}, cacheDir: folder, size: 3, ...settings });
}

test('gives on a thread that becomes free soon, rather than starting one', async () => {
  await using pool = openPool({ growAfterMs: () => hourMs });
  const first = await pool.take(never);

  const [second, third] = [pool.take(never), pool.take(never)];
  if (first !== null) pool.giveBack(first);
  expect(await second).toBe(first);
  if (first !== null) pool.giveBack(first);

  expect(await third).toBe(first);
});

test('starts another thread where none becomes free', async () => {
  await using pool = openPool({ growAfterMs: () => 1 });

  const hosts = [await pool.take(never), await pool.take(never), await pool.take(never)];

  expect(new Set(hosts).size).toBe(3);
  expect(hosts).not.toContain(null);
});

test('gives nothing to who has gone', async () => {
  await using pool = openPool({ growAfterMs: () => hourMs });
  const abort = new AbortController();
  const first = await pool.take(never);

  const second = pool.take(abort.signal);
  abort.abort();

  expect(await second).toBe(null);
  if (first !== null) pool.giveBack(first);
  expect(await pool.take(never)).toBe(first);
});

test('uses threads that were started ahead', async () => {
  await using pool = openPool({ growAfterMs: () => hourMs });

  pool.prestart();
  pool.prestart();
  const hosts = [await pool.take(never), await pool.take(never)];

  expect(new Set(hosts).size).toBe(2);
});

test('ends threads that were idle for long, but for one', async () => {
  await using pool = openPool({ growAfterMs: () => 1, keptIdleMs: 2 });
  const [first, second] = [await pool.take(never), await pool.take(never)];

  if (first !== null) pool.giveBack(first);
  if (second !== null) pool.giveBack(second);
  await first?.ended;

  expect(await pool.take(never)).toBe(second);
});
