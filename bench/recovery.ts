// How long until the tasks of a killed worker run again: `node bench/recovery.ts [kills]`.
import { appendFileSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { createClient } from '@runnel/client';
import { Stack } from '@runnel/testing';
import { percentile } from './measure.ts';

const kills = Number(process.argv[2] ?? 20);
const functions = fileURLToPath(
  new URL('../libs/testing/src/fixtures/functions.ts', import.meta.url),
);

const env = { RUNNEL_FUNCTIONS: functions, RUNNEL_CONCURRENCY: '2' };
const stack = await Stack.start({ api: true, workers: 2, env });
const client = createClient({ url: stack.apiUrl });
const journal = join(stack.dir, 'journal');
appendFileSync(journal, '');

const { id } = await client.submitRun({
  value: {
    parameters: { N: { from: 1, to: 2_000 } },
    parallelism: 8,
    tasks: [
      {
        class: 'wait',
        executor: 'function',
        parameters: ['N'],
        details: { name: 'wait', input: { journal, id: '{{N}}', ms: 400 } },
      },
    ],
  },
});

interface Line {
  readonly what: string;
  readonly id: number;
  readonly at: number;
}

function readLines(): readonly Line[] {
  return readFileSync(journal, 'utf8')
    .split('\n')
    .filter(Boolean)
    .map((line) => {
      const [what = '', task = '', at = ''] = line.split(' ');
      return { what, id: Number(task), at: Number(at) };
    });
}

const delays: number[] = [];
for (let kill = 0; kill < kills; kill++) {
  await sleep(3_000);
  const victim = stack.of('worker').find(({ isGone }) => !isGone());
  const killedAt = Date.now();
  await victim?.kill('SIGKILL');
  const before = readLines();
  const open = new Set(before.filter(({ what }) => what === 'start').map((line) => line.id));
  for (const { what, id: task } of before) if (what === 'end') open.delete(task);
  await stack.add('worker');
  await sleep(16_000);
  for (const task of open) {
    const again = readLines().find(
      ({ what, id: one, at }) => what === 'start' && one === task && at > killedAt,
    );
    if (again !== undefined) delays.push(again.at - killedAt);
  }
}
const run = await client.getRun(id);
process.stdout.write(
  `${kills} kills, ${delays.length} tasks started again after ms: p50 ${percentile(delays, 0.5)}, ` +
    `p99 ${percentile(delays, 0.99)}, max ${Math.max(...delays)}; run ${run.state}, ${JSON.stringify(run.counts)}\n`,
);
await stack[Symbol.asyncDispose]();
