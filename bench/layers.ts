// No-op tasks in layers with 3 random parents each: `node bench/layers.ts [layers] [width]`.
import { createClient } from '@runnel/client';
import { connectRedis } from '@runnel/store';
import { Stack } from '@runnel/testing';
import { slowest, startMeasuring } from './measure.ts';

const layers = Number(process.argv[2] ?? 20);
const width = Number(process.argv[3] ?? 5_000);
const count = layers * width;

const stack = await Stack.start({
  api: true,
  env: { RUNNEL_CONCURRENCY: '2', RUNNEL_MAX_BODY: '1GB' },
});
const redis = connectRedis(stack.redis.url, () => undefined);
const client = createClient({ url: stack.apiUrl });

function parentsOf(task: number): object {
  const layer = Math.floor(task / width);
  if (layer === 0) return {};
  const parents = new Set<number>();
  while (parents.size < Math.min(3, width)) {
    parents.add((layer - 1) * width + Math.floor(Math.random() * width));
  }
  return { parents: [...parents].map((parent) => ({ id: `t${parent}` })) };
}

const tasks = Array.from({ length: count }, (_, task) => ({
  class: 'work',
  id: `t${task}`,
  executor: 'noop',
  ...parentsOf(task),
}));

const stop = await startMeasuring(stack, redis);
const submittedAt = performance.now();
const { id } = await client.submitRun({ value: { tasks } });
const submitS = (performance.now() - submittedAt) / 1000;
let run = await client.getRun(id);
while (run.state === 'running') {
  await new Promise((resume) => setTimeout(resume, 200));
  run = await client.getRun(id);
}
const runS = (Date.parse(run.endedAt ?? '') - Date.parse(run.startedAt ?? '')) / 1000;
const cost = await stop();
process.stderr.write(`${(await slowest(redis, 8)).join('\n')}\n`);
process.stdout.write(
  `${JSON.stringify({
    count,
    state: run.state,
    succeeded: run.counts.succeeded,
    submitS,
    runS,
    tasksPerS: Math.round(count / runS),
    redisBytesPerTask: cost.redisBytes / count,
    ...cost,
  })}\n`,
);
redis.disconnect();
await stack[Symbol.asyncDispose]();
