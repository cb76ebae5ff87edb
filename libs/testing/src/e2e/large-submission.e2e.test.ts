import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { createClient } from '@runnel/client';
import { expect, test } from 'vitest';
import { Stack } from '../stack.ts';

const taskCount = 1_000_000;
const width = 1000;

/** Layers of a thousand tasks with three parents each, in no order that a computer would find easy. */
function* layers(): Generator<string> {
  yield '{"name":"layers","defaults":{"executor":"noop"}}';
  for (let task = 0; task < taskCount; task++) {
    const above = task - (task % width) - width;
    const parents =
      above < 0 ? [] : [7, 101, 503].map((step) => ({ id: `t${above + ((task * step) % width)}` }));
    yield JSON.stringify({ class: 'work', id: `t${task}`, parents });
  }
}

/** The most memory that a process ever had, in MB. */
function peakMemory(pid: number): number {
  const found = /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
  return Number(found) / 1024;
}

test('a million irregular tasks are submitted in bounded memory, and others are served meanwhile', {
  skip: process.platform !== 'linux',
}, async () => {
  await using stack = await Stack.start({ api: true, listeners: 0, workers: 0 });
  const client = createClient({ url: stack.apiUrl });
  const [api] = stack.of('api');
  const before = peakMemory(api?.pid ?? 0);
  const submitting = new AbortController();
  const waits = watch(`${stack.apiUrl}/livez`, submitting.signal);

  const { id, tasks } = await client.submitRun({ lines: layers() });
  submitting.abort();

  expect(tasks).toBe(taskCount);
  const peak = peakMemory(api?.pid ?? 0);
  expect(peak).toBeLessThan(400);
  expect(peak - before).toBeLessThan(300);
  // A busy machine makes anything late now and then: most answers tell.
  const sorted = (await waits).sort((a, b) => a - b);
  expect(sorted[Math.floor(sorted.length * 0.9)]).toBeLessThan(100);
  const last = await client.getTask(id, 't999999');
  expect(last.parents).toHaveLength(3);
  expect((await client.getRun(id)).counts.ready).toBe(width);
});

/** How long each answer took, in ms. */
async function watch(url: string, signal: AbortSignal): Promise<number[]> {
  const waits: number[] = [];
  while (!signal.aborted) {
    const startedAt = performance.now();
    await (await fetch(url)).text();
    waits.push(performance.now() - startedAt);
    await sleep(10);
  }
  return waits;
}
