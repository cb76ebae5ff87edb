import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { Json } from '@runnel/core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { encodeBatch } from './batch-request.ts';
import { startThread, type ThreadHandle } from './thread-handle.ts';

let folder: string;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'runnel-thread-'));
});

afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** A thread that is at a task now. */
async function startAt(name: string, input?: Json): Promise<ThreadHandle> {
  const modules = [fileURLToPath(new URL('./functions-for-tests.ts', import.meta.url))];
  const thread = startThread({ modules, environment: {}, cacheDir: folder });
  const [isReady, isAtWork] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  thread.attach({
    ready: isReady.resolve,
    log: () => isAtWork.resolve(),
    askSecret: () => undefined,
    end: () => undefined,
    idle: () => undefined,
    lose: () => undefined,
  });
  await isReady.promise;
  const details = input === undefined ? { name } : { name, input };
  const task = {
    run: { id: 'r', name: null },
    task: { id: 't', number: 0, class: 't', attempt: 1 },
    ...{ idempotencyKey: 'r.0.1', details, inputs: {}, timeoutMs: null, successExitCodes: [0] },
    ...{
      isolated: false,
      secret: () => Promise.reject(new Error('there are none here')),
      log: { write: () => true, drained: async () => undefined },
    },
  };
  thread.run(encodeBatch([task], [0]));
  const polling = setInterval(() => thread.poll(), 5);
  await isAtWork.promise;
  clearInterval(polling);
  return thread;
}

test('a thread that computes is busy, one that waits is not', async () => {
  const [computing, waiting] = await Promise.all([startAt('busy', { ms: 5_000 }), startAt('wait')]);
  computing.busyShare();
  waiting.busyShare();

  await sleep(200);

  expect(computing.busyShare()).toBeGreaterThan(0.9);
  expect(waiting.busyShare()).toBeLessThan(0.1);
  computing.terminate();
  waiting.terminate();
  await Promise.all([computing.ended, waiting.ended]);
});
