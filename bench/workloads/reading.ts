import { z } from 'zod';
import { percentile } from '../measure.ts';
import { atMost } from '../results.ts';
import { specOfProduct } from '../specs.ts';
import { ofCost, RunnelSystem } from '../systems/runnel.ts';
import type { Measurement, Workload } from '../workload.ts';

const name = 'reading';
const pageSize = 100;
/** Fewer answers than these say nothing about the slowest in a hundred. */
const fewestAnswers = 100;

export const reading: Workload = {
  name,
  about: `GET of a run, of pages of ${pageSize} of its tasks, and of those that run, while it goes on`,
  cases(scale) {
    const n = scale(1_000_000);
    return [{ name, n, systems: { runnel: () => measureReading(n) } }];
  },
  judge(results) {
    const figures = results.find(name, 'runnel')?.figures;
    return [
      atMost('p99 of GET /runs/{id} ms', figures?.['runMsP99'], 50),
      atMost('p99 of GET /runs/{id}/tasks ms', figures?.['tasksMsP99'], 50),
      atMost('p99 of GET /runs/{id}/tasks?state=running ms', figures?.['runningMsP99'], 50),
    ];
  },
};

async function measureReading(n: number): Promise<Measurement> {
  await using system = await RunnelSystem.start();
  const file = await system.writeSpec(specOfProduct(n));
  const stop = await system.measure();
  const startedAt = performance.now();
  const id = await system.submit(file);
  const submitS = (performance.now() - startedAt) / 1000;
  let isOver = false;
  const large = system.waitForEnd(id, n).finally(() => {
    isOver = true;
  });
  const base = `${system.stack.apiUrl}/api/v1/runs/${id}`;
  const runMs: number[] = [];
  const tasksMs: number[] = [];
  const runningMs: number[] = [];
  let next: string | null = null;
  while (!isOver) {
    runMs.push((await get(base)).ms);
    const cursor: string = next === null ? '' : `&cursor=${encodeURIComponent(next)}`;
    const page = await get(`${base}/tasks?limit=${pageSize}${cursor}`);
    next = page.next;
    tasksMs.push(page.ms);
    runningMs.push((await get(`${base}/tasks?limit=${pageSize}&state=running`)).ms);
  }
  const totalS = ((await large) - startedAt) / 1000;
  const cost = await stop();
  if (runMs.length < fewestAnswers) throw new Error(`only ${runMs.length} answers were read`);
  await system.prove(id, n);
  return {
    ...ofCost(cost, n),
    ...{ submitS, totalS, tasksPerS: await system.readRate(id) },
    figures: {
      ...{ runMsP50: percentile(runMs, 0.5), runMsP99: percentile(runMs, 0.99) },
      ...{ tasksMsP50: percentile(tasksMs, 0.5), tasksMsP99: percentile(tasksMs, 0.99) },
      ...{ runningMsP50: percentile(runningMs, 0.5), runningMsP99: percentile(runningMs, 0.99) },
      answers: 3 * runMs.length,
    },
  };
}

const pageShape = z.object({ next: z.string().nullish() });

async function get(url: string): Promise<{ readonly ms: number; readonly next: string | null }> {
  const startedAt = performance.now();
  const response = await fetch(url);
  const text = await response.text();
  const ms = performance.now() - startedAt;
  if (!response.ok) throw new Error(`GET ${url}: ${response.status} ${text.slice(0, 300)}`);
  return { ms, next: pageShape.parse(JSON.parse(text)).next ?? null };
}
