// Measures what it takes to move a run of many tasks to the archive, and back to be read:
//
//   node bench/archive-move.ts [tasks, 1000000]
//
// It starts a Redis, an api, a listener and a worker of its own in a folder that is removed at the end.
import { statSync } from 'node:fs';
import { join } from 'node:path';
import { createClient } from '@runnel/client';
import { connectRedis, parseInfo } from '@runnel/store';
import { Stack } from '@runnel/testing';
import { readMachine, readVersions } from './machine.ts';

const count = Number(process.argv[2] ?? 1_000_000);
const patienceMs = 900_000;

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}

const spec = {
  name: 'large',
  parameters: { A: { from: 1, to: count / 100 }, B: { from: 1, to: 100 } },
  defaults: { executor: 'noop' },
  tasks: [
    { class: 'work', parameters: ['A', 'B'], details: { output: { n: '{{A}}.{{B}}' } } },
    { class: 'last', parents: ['work'] },
  ],
};

say(JSON.stringify({ ...readMachine(), ...readVersions() }));
const env = { RUNNEL_KEEP: '1h', RUNNEL_LOG_LEVEL: 'info' };
await using stack = await Stack.start({ api: true, listeners: 1, workers: 1, env });
const client = createClient({ url: stack.apiUrl });
const redis = connectRedis(stack.redis.url, () => undefined);

async function standing(): Promise<{ readonly dataset: number; readonly keys: number }> {
  const info = parseInfo(await redis.info('memory'));
  return { dataset: Number(info['used_memory_dataset']), keys: await redis.dbsize() };
}

async function until(look: () => Promise<boolean>): Promise<number> {
  const from = performance.now();
  while (!(await look())) {
    if (performance.now() - from > patienceMs) throw new Error('it takes too long');
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  return (performance.now() - from) / 1_000;
}

const mb = (bytes: number): string => `${(bytes / 1_048_576).toFixed(1)} MB`;
const tell = async (when: string): Promise<void> => {
  // Redis frees what is large in the background.
  await until(
    async () => parseInfo(await redis.info('memory'))['lazyfree_pending_objects'] === '0',
  );
  await new Promise((resolve) => setTimeout(resolve, 2_000));
  const { dataset, keys } = await standing();
  say(`${when.padEnd(28)} used_memory_dataset ${mb(dataset).padStart(9)}, ${keys} keys`);
};

await tell('before');
const { id } = await client.submitRun({ value: spec });
await until(async () => (await client.getRun(id)).state === 'succeeded');
await tell('ended');
await redis.call('SLOWLOG', 'RESET');
for (const listener of stack.of('listener')) await listener.kill('SIGTERM');
// The last lines of a log may come so much later.
await new Promise((resolve) => setTimeout(resolve, 5_000));
const mover = await stack.add('listener', { RUNNEL_KEEP: '0' });
await until(async () => (await client.getRun(id)).isArchived);
const moved = mover.log.find((line) => line.includes('moved to the archive')) ?? '';
say(`moved in ${/"ms":(\d+)/.exec(moved)?.[1]} ms; longest command of Redis ${await slowest()}`);
const file = join(stack.dir, 'data/archive/runnel.sqlite');
say(`archive ${mb(statSync(file).size + statSync(`${file}-wal`).size)}`);
await tell('moved');
const start = performance.now();
const { tasks } = await client.getTasks(id, { limit: 1 });
say(
  `brought back in ${Math.round(performance.now() - start)} ms; its first task ${tasks[0]?.state}`,
);
await tell('brought back');
const from = performance.now();
let bytes = 0;
for await (const text of client.exportRun(id)) bytes += text.length;
say(`exported in ${Math.round(performance.now() - from)} ms, ${mb(bytes)}`);
await client.deleteRun(id);
await tell('deleted');
redis.disconnect();

async function slowest(): Promise<string> {
  const entries = (await redis.call('SLOWLOG', 'GET', '128')) as readonly (readonly unknown[])[];
  const micros = Math.max(0, ...entries.map(([, , us]) => Number(us)));
  return micros === 0 ? 'below 10 ms' : `${(micros / 1_000).toFixed(1)} ms`;
}
