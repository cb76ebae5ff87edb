// A worker of BullMQ as a user would write it: `node bullmq-worker.ts <kind> <concurrency>`, with REDIS_URL.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { connectRedis } from '@runnel/store';
import { type Job, Queue, Worker } from 'bullmq';
import { Journal, now } from '../journal.ts';
import { mixedOf } from '../mixed.ts';
import {
  childrenKey,
  endedChannel,
  type Kind,
  kinds,
  leftKey,
  queueName,
  type TaskJob,
} from './bullmq-names.ts';

const kind = kinds.find((one) => one === process.argv[2]) ?? 'work';
const concurrency = Number(process.argv[3] ?? 1);

const redis = connectRedis(process.env['REDIS_URL'] ?? '', report);
const script = readFileSync(new URL('./finish-task.lua', import.meta.url), 'utf8');
const sha = String(await redis.script('LOAD', script));
const queue = new Queue<TaskJob>(queueName, { connection: redis });
const journal = new Journal();

const carryOut: Readonly<Record<Kind, (input: number) => Promise<void>>> = {
  work: async () => undefined,
  flow: async () => undefined,
  wait: (input) => sleep(mixedOf(input).ms),
  command: async (input) => {
    const child = spawn('/bin/true', [String(input)], { stdio: 'ignore' });
    const [code] = await once(child, 'exit');
    if (code !== 0) throw new Error(`exit code ${code}`);
  },
};

async function processTask({ data, opts }: Job<TaskJob>): Promise<void> {
  const { run, task, firstInput } = data;
  const startedAt = now();
  await carryOut[kind](firstInput + task);
  journal.record(firstInput + task, startedAt, now());
  // A Flow counts by itself: it ends with the job that has no parent.
  if (kind === 'flow') {
    if (opts.parent === undefined) await redis.publish(endedChannel, run);
    return;
  }
  const ready = await finishTask(run, task);
  if (ready.length === 0) return;
  await queue.addBulk(
    ready.map((child) => ({ name: 'task', data: { run, task: Number(child), firstInput } })),
  );
}

async function finishTask(run: string, task: number): Promise<readonly string[]> {
  const keys = [leftKey(run), childrenKey(run)] as const;
  const answer = await redis.evalsha(sha, keys.length, ...keys, task, endedChannel, run);
  return Array.isArray(answer) ? answer.map(String) : [];
}

function report(error: Error): void {
  process.stderr.write(`${error.stack}\n`);
}

const worker = new Worker<TaskJob>(queueName, processTask, { connection: redis, concurrency });
worker.on('error', report);
worker.on('failed', (_job, error) => report(error));
await worker.waitUntilReady();
process.stdout.write('ready\n');
