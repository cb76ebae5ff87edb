import { changePaused, RunInfo, readPaused, readRunFacts, stateCode } from '@runnel/store';
import type { GrowingRun } from '../generate/growing.test-kit.ts';
import type { Draw } from './growing-graph.test-kit.ts';

/** A class or a task that is paused by itself. */
export type PausedPart =
  | { readonly kind: 'class'; readonly name: string }
  | { readonly kind: 'task'; readonly name: string };

interface ListedTask {
  readonly id: string;
  readonly class: string;
  readonly group: number;
  readonly number: number;
}

/** All tasks of a run, generated ones among them. */
export async function listTasks({ driver }: GrowingRun): Promise<readonly ListedTask[]> {
  const facts = await readRunFacts(driver.redis, driver.namespace, driver.run.id);
  const info = new RunInfo(driver.redis, facts);
  const states = (await driver.redis.getBuffer(driver.run.names.state)) ?? Buffer.alloc(0);
  const tasks: ListedTask[] = [];
  for (let number = 0; number < facts.nodeCount; number++) {
    const { id, group, groupNumber } = await info.task(number);
    if (group.kind === 'barrier' || states[number] === stateCode.retired) continue;
    tasks.push({ id, class: group.class, group: groupNumber, number });
  }
  return tasks;
}

export function isPausedBy(task: ListedTask, { kind, name }: PausedPart): boolean {
  return (kind === 'class' ? task.class : task.id) === name;
}

export function nameOf({ kind, name }: PausedPart): string {
  return `${kind} ${name}`;
}

/** Pauses a class or two, and some tasks; those that are paused then. */
export async function pauseSome(run: GrowingRun, draw: Draw): Promise<readonly PausedPart[]> {
  const { driver } = run;
  if ((await driver.summary()).state !== 'running') return [];
  const tasks = await listTasks(run);
  const all = [...new Set(tasks.map((task) => task.class))];
  const classes = new Set([all[draw(all.length)], all[draw(all.length)]].slice(0, draw(3)));
  const single = tasks.filter(() => draw(6) === 0);
  const groups = new Set(tasks.filter((one) => classes.has(one.class)).map(({ group }) => group));
  await changePaused(driver.redis, driver.run, {
    ...{ ...request, kind: 'pause' },
    ...{ groups: [...groups], tasks: single.map(({ number }) => number) },
  });
  // Some of it is put aside, some stands in its list.
  await driver.turn(draw(6));
  // With its end all is forgotten.
  if ((await driver.summary()).state !== 'running') return [];
  return [
    ...[...classes].flatMap((name) =>
      name === undefined ? [] : [{ kind: 'class', name } as const],
    ),
    ...single.map(({ id }) => ({ kind: 'task', name: id }) as const),
  ];
}

const told = '{"by":null,"classes":[],"selected":1,"running":0}';
const request = { createdAt: 1, now: 1, by: 'a test', told } as const;

/** What is paused now. */
export async function pausedParts(run: GrowingRun): Promise<ReadonlySet<string>> {
  const { driver } = run;
  const { groups, tasks } = await readPaused(driver.redis, driver.run);
  const facts = await readRunFacts(driver.redis, driver.namespace, driver.run.id);
  const info = new RunInfo(driver.redis, facts);
  const parts = new Set<string>();
  for (const { number } of groups) parts.add(`class ${(await info.group(number)).class}`);
  for (const { number } of tasks) parts.add(`task ${(await info.task(number)).id}`);
  return parts;
}

export async function resumeAll({ driver }: GrowingRun): Promise<void> {
  const { groups, tasks } = await readPaused(driver.redis, driver.run);
  await changePaused(driver.redis, driver.run, {
    ...{ ...request, kind: 'resume' },
    ...{ groups: groups.map(({ number }) => number), tasks: tasks.map(({ number }) => number) },
  });
}
