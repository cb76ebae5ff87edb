// Measures tasks that are generated, and edits: `node libs/testing/src/measure-growth.ts [tasks] [rounds]`.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Client, createClient } from '@runnel/client';
import { Stack } from './stack.ts';

const tasks = Number(process.argv[2] ?? 100_000);
const rounds = Number(process.argv[3] ?? 3);

say(`Node ${process.version}, ${cpus().length} × ${cpus()[0]?.model ?? 'unknown'}; ${tasks} tasks`);
await tell('generated and gated', measureGenerated);
await tell('generated again, 1 % changed', measureAgain);
await tell('edit of a run that has ended, 1 % changed', (client) => measureEdit(client, 'ended'));
await tell('edit of a run that goes on, 1 % changed', (client) => measureEdit(client, 'running'));

type Figures = Readonly<Record<string, number>>;

async function tell(what: string, measure: (client: Client) => Promise<Figures>): Promise<void> {
  const all: Figures[] = [];
  for (let round = 0; round < rounds; round++) {
    await using stack = await Stack.start({ api: true, workers: 2 });
    all.push(await measure(createClient({ url: stack.apiUrl })));
  }
  const names = Object.keys(all[0] ?? {});
  const columns = names.map((name) => `${name} ${all.map((one) => one[name]).join(', ')}`);
  say(`${what}: ${columns.join('; ')}`);
}

/** A generator that prints the tasks, and a child that waits for all of them. */
async function measureGenerated(client: Client): Promise<Figures> {
  using set = newSetFile();
  set.write(() => 1);
  const run = await ended(client, await submitGenerator(client, set));
  return { 'whole run in ms': elapsed(run), tasks: run.taskCount };
}

/** The same generator once more: of a hundred tasks one is another version by then. */
async function measureAgain(client: Client): Promise<Figures> {
  using set = newSetFile();
  set.write(() => 1);
  const id = await submitGenerator(client, set);
  const first = await ended(client, id);
  set.write((index) => (index % 100 === 0 ? 2 : 1));
  const startedAt = performance.now();
  await client.retryRun(id, { from: ['make'] });
  await ended(client, id);
  const againMs = Math.round(performance.now() - startedAt);
  const { generated } = await client.getTask(id, 'make');
  const count = generated?.count ?? 0;
  return {
    ...{ 'first in ms': elapsed(first), 'again in ms': againMs },
    'run again': count - (generated?.reused ?? 0),
  };
}

interface SetFile extends Disposable {
  readonly path: string;
  write(versionOf: (index: number) => number): void;
}

/** What a generator prints. */
function newSetFile(): SetFile {
  const folder = mkdtempSync(join(tmpdir(), 'runnel-growth-'));
  const path = join(folder, 'tasks.ndjson');
  return {
    path,
    write(versionOf) {
      const lines = Array.from({ length: tasks }, (_, index) =>
        JSON.stringify({
          ...{ class: 'part', id: `part-${index}`, executor: 'noop', version: versionOf(index) },
        }),
      );
      writeFileSync(path, `${lines.join('\n')}\n`);
    },
    [Symbol.dispose]: () => rmSync(folder, { recursive: true }),
  };
}

async function submitGenerator(client: Client, { path }: SetFile): Promise<string> {
  const { id } = await client.submitRun({
    value: {
      tasks: [
        { class: 'make', generator: true, details: { command: ['cat', path] } },
        { class: 'gate', executor: 'noop', parents: ['make'] },
      ],
    },
  });
  return id;
}

function elapsed(run: Awaited<ReturnType<typeof ended>>): number {
  return Date.parse(run.endedAt ?? '') - Date.parse(run.startedAt ?? '');
}

async function measureEdit(client: Client, when: 'ended' | 'running'): Promise<Figures> {
  const changed = tasks / 100;
  const spec = (version: number) => ({
    tasks: [
      {
        ...{
          class: 'keep',
          executor: 'sleep',
          parameters: { N: { from: 1, to: tasks - changed } },
        },
        details: { ms: when === 'ended' ? 0 : 50 },
      },
      {
        ...{
          class: 'change',
          executor: 'noop',
          version,
          parameters: { M: { from: 1, to: changed } },
        },
      },
    ],
  });
  const { id } = await client.submitRun({ value: spec(1) });
  if (when === 'ended') await ended(client, id);
  else while ((await client.getRun(id)).counts.succeeded < tasks / 10) await sleep(20);

  const startedAt = performance.now();
  const { rerun } = await client.editRun(id, { value: spec(2) }, { revision: 1 });
  const editMs = Math.round(performance.now() - startedAt);
  await ended(client, id);
  return { 'edit in ms': editMs, 'run again': rerun };
}

async function ended(client: Client, id: string): ReturnType<Client['getRun']> {
  for (;;) {
    const run = await client.getRun(id);
    if (run.endedAt !== null) return run;
    await sleep(20);
  }
}

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}
