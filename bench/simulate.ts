// Compares what a plan predicts with what a run takes:
//
//   node bench/simulate.ts [measured runs of each spec, 3]
//
// Each spec runs twice; then `runnel plan --simulate --learn` says what the next runs will take, and they are
// measured. It starts a Redis, an api, a listener and a worker of its own in a folder that is removed at the end.
import { execFile } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { createClient } from '@runnel/client';
import { Stack } from '@runnel/testing';
import { z } from 'zod';
import { readMachine, readVersions } from './machine.ts';

const runs = Number(process.argv[2] ?? 3);
const learnt = 2;
const slots = 8;
const cli = fileURLToPath(new URL('../apps/cli/src/main.ts', import.meta.url));
const run = promisify(execFile);

const sleep = (seconds: string): { readonly details: object } => ({
  details: { command: ['sleep', seconds] },
});
const flaky = 'sleep 0.1; test "$((RANDOM % 5))" -ne 0';

/** Three shapes: layers that wait for each other, chains side by side, and tasks that fail at random. */
const specs = [
  {
    name: 'layers',
    parameters: { DAY: { from: 1, to: 9 }, PART: { from: 1, to: 6 } },
    tasks: [
      { class: 'pull', parameters: ['DAY'], ...sleep('0.{{DAY}}') },
      { class: 'clean', parameters: ['DAY', 'PART'], parents: ['pull'], ...sleep('0.3') },
      { class: 'join', parameters: ['DAY'], parents: ['clean'], ...sleep('0.5') },
      { class: 'report', parents: ['join'], ...sleep('1') },
    ],
  },
  {
    name: 'chains',
    parameters: { N: { from: 1, to: 24 } },
    tasks: [
      { class: 'fetch', parameters: ['N'], ...sleep('0.2') },
      {
        class: 'work',
        parameters: ['N'],
        parents: [{ class: 'fetch', match: true }],
        ...sleep('1.2'),
      },
      {
        class: 'store',
        parameters: ['N'],
        parents: [{ class: 'work', match: true }],
        ...sleep('0.4'),
      },
    ],
  },
  {
    name: 'flaky',
    parameters: { N: { from: 1, to: 150 } },
    defaults: { retries: { limit: 8, backoff: '500ms' } },
    tasks: [
      { class: 'try', parameters: ['N'], details: { command: ['bash', '-c', flaky] } },
      { class: 'after', parameters: [], parents: ['try'], ...sleep('0.2') },
    ],
  },
];

const prediction = z.object({ makespanMs: z.number() });

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}

say(JSON.stringify({ ...readMachine(), ...readVersions() }));
const env = { RUNNEL_CONCURRENCY: String(slots) };
await using stack = await Stack.start({ api: true, listeners: 1, workers: 1, env });
const client = createClient({ url: stack.apiUrl });

/** Seconds from the submission to the end. */
async function measure(value: object): Promise<number> {
  const { id } = await client.submitRun({ value });
  for await (const _ of client.followEvents(id));
  const { createdAt, endedAt, state } = await client.getRun(id);
  if (state !== 'succeeded' || endedAt === null) throw new Error(`run ${id} has ${state}`);
  return (Date.parse(endedAt) - Date.parse(createdAt)) / 1_000;
}

async function predict(spec: { readonly name: string }): Promise<number> {
  const file = join(stack.dir, `${spec.name}.json`);
  writeFileSync(file, JSON.stringify(spec));
  const options = ['--simulate', '--learn', '--slots', String(slots), '--json'];
  const asked = [cli, 'plan', file, ...options, '--url', stack.apiUrl];
  const { stdout } = await run(process.execPath, asked);
  return prediction.parse(JSON.parse(stdout)).makespanMs / 1_000;
}

say('spec      predicted  measured              off');
for (const spec of specs) {
  for (let index = 0; index < learnt; index++) await measure(spec);
  const predicted = await predict(spec);
  const measured: number[] = [];
  for (let index = 0; index < runs; index++) measured.push(await measure(spec));
  const middle = measured.toSorted((a, b) => a - b)[Math.floor(runs / 2)] ?? 0;
  const off = `${Math.round((predicted / middle - 1) * 100)} %`;
  const each = measured.map((seconds) => `${seconds.toFixed(1)} s`).join(', ');
  say(`${spec.name.padEnd(9)} ${`${predicted.toFixed(1)} s`.padEnd(10)} ${each.padEnd(21)} ${off}`);
}
