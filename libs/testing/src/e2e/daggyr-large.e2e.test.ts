import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { Stack } from '../stack.ts';

const perAxis = 1_000;

/** The most memory that a process ever had, in MB. */
function peakMemory(pid: number): number {
  const found = /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
  return Number(found) / 1024;
}

/** How long each answer took, in ms. */
async function watch(url: string, signal: AbortSignal): Promise<readonly number[]> {
  const waits: number[] = [];
  while (!signal.aborted) {
    const asked = performance.now();
    await (await fetch(url)).text();
    waits.push(performance.now() - asked);
    await sleep(10);
  }
  return waits.sort((a, b) => a - b);
}

function values(name: string): readonly string[] {
  return Array.from({ length: perAxis }, (_, index) => `${name}${index}`);
}

test.skipIf(process.platform !== 'linux')(
  'a million tasks of DaggyR are submitted and listed in bounded memory, and others are served meanwhile',
  async () => {
    await using stack = await Stack.start({ api: true, listeners: 0, workers: 0 });
    const runs = `${stack.apiUrl}/daggyr/api/v1/runs`;
    const pid = stack.of('api')[0]?.pid ?? 0;
    const before = peakMemory(pid);
    const busy = new AbortController();
    const waiting = watch(`${stack.apiUrl}/livez`, busy.signal);
    const body = {
      parameters: { XX: values('x'), YY: values('y') },
      tasks: {
        part: { details: { command: ['echo', 'XX', 'YY'] }, children: ['sum'] },
        sum: { details: { command: ['echo', 'sum'] } },
      },
    };

    const submitted = await fetch(runs, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json' },
      body: JSON.stringify(body),
    });
    const { run_id }: { run_id: number } = JSON.parse(await submitted.text());
    const listed = await countTasks(await fetch(`${runs}/${run_id}/tasks`));
    busy.abort();

    const waits = await waiting;
    expect(listed).toBe(perAxis * perAxis + 3);
    expect(peakMemory(pid) - before).toBeLessThan(500);
    // A busy machine makes anything late now and then: most answers tell.
    expect(waits[Math.floor(waits.length * 0.9)]).toBeLessThan(100);
  },
  300_000,
);

/** Counts them while they come: the whole answer is some 50 MB. */
async function countTasks(response: Response): Promise<number> {
  let count = 0;
  let rest = '';
  const decoder = new TextDecoder();
  for await (const chunk of response.body ?? []) {
    const parts = (rest + decoder.decode(chunk, { stream: true })).split('"task_id"');
    count += parts.length - 1;
    rest = (parts.at(-1) ?? '').slice(-9);
  }
  return count;
}
