// Commands through each starter of the local executor, two at once, nothing else around them:
// `node bench/starters.ts [commands] [rounds]`. Each line is one fresh process; rounds show the spread.
import { cpus, release } from 'node:os';
import { fileURLToPath } from 'node:url';
import type { TaskInput } from '@runnel/core';
import { execa } from 'execa';
// biome-ignore lint/style/noRestrictedImports: the choice of a starter is not for other workspaces.
import { createLocal } from '../libs/executors/src/local/index.ts';

const starters = ['auto', 'execa'] as const;
const commands = {
  silent: ['true'],
  'one line': ['echo', 'a line of output'],
} satisfies Record<string, [string, ...string[]]>;

interface Case {
  readonly starter: (typeof starters)[number];
  readonly command: keyof typeof commands;
  readonly heapMb: number;
  readonly count: number;
}

const [, , first = '4000', second = '3'] = process.argv;
if (first.startsWith('{')) process.stdout.write(await measure(JSON.parse(first)));
else await measureAll(Number(first), Number(second));

async function measureAll(count: number, rounds: number): Promise<void> {
  const machine = `${cpus().length} × ${cpus()[0]?.model}, ${release()}, node ${process.version}`;
  process.stdout.write(`${machine}; ${count} commands a line (execa: a quarter), two at once\n`);
  const cases = Array.from({ length: rounds }, () => [0, 200]).flatMap((heaps) =>
    heaps.flatMap((heapMb) =>
      starters.flatMap((starter) =>
        (['silent', 'one line'] as const).map((command) => ({ starter, command, heapMb })),
      ),
    ),
  );
  for (const each of cases) {
    const of = { ...each, count: each.starter === 'execa' ? count / 4 : count };
    const { stdout } = await execa(process.execPath, [
      fileURLToPath(import.meta.url),
      JSON.stringify(of),
    ]);
    process.stdout.write(`${stdout}\n`);
  }
}

async function measure({ starter, command, heapMb, count }: Case): Promise<string> {
  // Objects, not buffers: they are what makes a heap that a fork has to map.
  const live = Array.from({ length: heapMb * 9_000 }, (_, at) => ({
    at,
    next: { text: `t${at}` },
  }));
  const open = await createLocal({ starter }).open({
    dataDir: '/tmp/runnel-bench',
    concurrency: 2,
    functions: [],
    killGraceMs: 1_000,
  });
  const runOne = async (number: number): Promise<void> => {
    const signal = new AbortController().signal;
    await open.execute({ tasks: [taskOf(number, commands[command])], signal }, (_, result) => {
      if (result.outcome !== 'succeeded') throw new Error(JSON.stringify(result));
    });
  };
  const runMany = async (from: number, to: number): Promise<void> => {
    for (let number = from; number < to; number++) await runOne(number);
  };
  await Promise.all([runMany(0, 50), runMany(50, 100)]);

  const startedAt = performance.now();
  const cpuBefore = process.threadCpuUsage();
  await Promise.all([runMany(0, count / 2), runMany(count / 2, count)]);
  const seconds = (performance.now() - startedAt) / 1000;
  const cpu = process.threadCpuUsage(cpuBefore);
  await open[Symbol.asyncDispose]();

  const heap = Math.round(process.memoryUsage().heapUsed / 1_048_576);
  const name = starter === 'auto' ? 'helpers' : starter;
  const perCommand = Math.round((cpu.user + cpu.system) / count);
  const what = `${name.padEnd(8)}${command.padEnd(9)} heap ${String(heap).padStart(3)} MB`;
  const rate = String(Math.round(count / seconds)).padStart(5);
  return `${what} ${rate}/s ${String(perCommand).padStart(5)} µs of the main thread (${live.length} objects)`;
}

function taskOf(
  number: number,
  command: [string, ...string[]],
): TaskInput<{ command: [string, ...string[]] }> {
  return {
    run: { id: 'run-1', name: 'bench' },
    task: { id: `task-${number}`, number, class: 'task', attempt: 1 },
    idempotencyKey: `run-1.${number}.1`,
    details: { command },
    inputs: {},
    timeoutMs: null,
    successExitCodes: [0],
    isolated: false,
    secret: () => Promise.reject(new Error('there are none')),
    log: { write: () => true, drained: () => Promise.resolve() },
  };
}
