// Measures how long a cancel takes: `node libs/testing/src/measure-cancel.ts [waiting tasks] [rounds]`.
import { randomBytes } from 'node:crypto';
import { cpus } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { createClient } from '@runnel/client';
import { findProcesses } from './processes.ts';
import { Stack } from './stack.ts';

const waiting = Number(process.argv[2] ?? 100_000);
const rounds = Number(process.argv[3] ?? 3);
const running = 12;

const ways = {
  'the run': {},
  'its two classes': { classes: ['long', 'wait'] },
  'the class that runs': { classes: ['long'] },
} as const;

say(`Node ${process.version}, ${cpus().length} × ${cpus()[0]?.model ?? 'unknown'}`);
say(`${running} × sleep 60 on 2 workers, ${waiting} tasks waiting, ${rounds} rounds`);
for (const [way, selector] of Object.entries(ways)) {
  const figures: Figures[] = [];
  for (let round = 0; round < rounds; round++) figures.push(await measure(selector));
  const of = (name: keyof Figures): string =>
    figures.map((one) => `${Math.round(one[name])}`).join(', ');
  say(
    `${way}: answered after ${of('answerMs')} ms, last process gone after ${of('goneMs')} ms, ended after ${of('endMs')} ms`,
  );
}

interface Figures {
  readonly answerMs: number;
  readonly goneMs: number;
  readonly endMs: number;
}

/** Of one cancel on a stack of its own, from the request on. */
async function measure(selector: { readonly classes?: readonly string[] }): Promise<Figures> {
  await using stack = await Stack.start({
    ...{ api: true, workers: 2 },
    env: { RUNNEL_CONCURRENCY: String(running / 2) },
  });
  const client = createClient({ url: stack.apiUrl });
  const seconds = `6${randomBytes(3).readUIntBE(0, 3)}`;
  const mark = `sleep ${seconds}`;
  const { id } = await client.submitRun({
    value: {
      tasks: [
        {
          ...{ class: 'long', parameters: { N: { from: 1, to: running } } },
          details: { command: ['sleep', seconds] },
        },
        {
          ...{ class: 'wait', executor: 'noop', parents: ['long'] },
          parameters: { M: { from: 1, to: waiting } },
        },
      ],
    },
  });
  while (findProcesses(mark).length < running) await sleep(20);

  const startedAt = performance.now();
  await client.cancelRun(id, selector);
  const answerMs = performance.now() - startedAt;
  while (findProcesses(mark).length > 0) await sleep(5);
  const goneMs = performance.now() - startedAt;
  while ((await client.getRun(id)).endedAt === null) await sleep(20);
  return { answerMs, goneMs, endMs: performance.now() - startedAt };
}

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}
