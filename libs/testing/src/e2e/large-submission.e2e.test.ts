import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { createClient, wireSubmitted } from '@runnel/client';
import { expect, test } from 'vitest';
import { Stack } from '../stack.ts';

const taskCount = 1_000_000;
const width = 1000;

const fields = '"name":"layers","defaults":{"executor":"noop"}';

/** Layers of a thousand tasks with three parents each, in no order that a computer would find easy. */
function* layers(): Generator<string> {
  for (let task = 0; task < taskCount; task++) {
    const above = task - (task % width) - width;
    const parents =
      above < 0 ? [] : [7, 101, 503].map((step) => ({ id: `t${above + ((task * step) % width)}` }));
    yield JSON.stringify({ class: 'work', id: `t${task}`, parents });
  }
}

/** In pieces of some tasks, so that the test itself is no bottleneck. */
function* pieces(head: string, between: string, end: string): Generator<Uint8Array> {
  let text = head;
  let separator = '';
  for (const task of layers()) {
    text += separator + task;
    separator = between;
    if (text.length < 100_000) continue;
    yield Buffer.from(text);
    text = '';
  }
  yield Buffer.from(text + end);
}

const bodies = [
  ['lines', 'application/x-ndjson', () => pieces(`{${fields}}\n`, '\n', '')],
  ['JSON', 'application/json', () => pieces(`{${fields},"tasks":[`, ',', ']}')],
] as const;

/** The most memory that a process ever had, in MB. */
function peakMemory(pid: number): number {
  const found = /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
  return Number(found) / 1024;
}

test.skipIf(process.platform !== 'linux').each(bodies)(
  'a million irregular tasks as %s are submitted in bounded memory, and others are served meanwhile',
  async (_, type, body) => {
    const env = { RUNNEL_MAX_BODY: '1GB' };
    await using stack = await Stack.start({ api: true, listeners: 0, workers: 0, env });
    const client = createClient({ url: stack.apiUrl });
    const [api] = stack.of('api');
    const before = peakMemory(api?.pid ?? 0);
    const submitting = new AbortController();
    const waits = watch(`${stack.apiUrl}/livez`, submitting.signal);

    const response = await fetch(`${stack.apiUrl}/api/v1/runs`, {
      method: 'POST',
      headers: { 'Content-Type': type },
      body: ReadableStream.from(body()),
      duplex: 'half',
    });
    const { id, tasks } = wireSubmitted.parse(await response.json());
    submitting.abort();
    const sorted = (await waits).sort((a, b) => a - b);

    expect(tasks).toBe(taskCount);
    const peak = peakMemory(api?.pid ?? 0);
    // 370 to 405 MB on the machines that it was seen on: the collector of V8 takes its time.
    expect(peak).toBeLessThan(450);
    expect(peak - before).toBeLessThan(250);
    // A busy machine makes anything late now and then: most answers tell.
    expect(sorted[Math.floor(sorted.length * 0.9)]).toBeLessThan(100);
    const last = await client.getTask(id, 't999999');
    expect(last.parents).toHaveLength(3);
    expect((await client.getRun(id)).counts.ready).toBe(width);
  },
);

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
