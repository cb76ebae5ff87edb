import type { ChangeAnswer, ChangeOptions } from '@runnel/client';
import { openTaskStates } from '@runnel/core';
import { type Command, Option } from 'commander';
import { z } from 'zod';
import { collect, collectOf, globalOptions } from './cli.ts';

/** Options of a command that changes a run, or some of its tasks. */
export const taskOptions = globalOptions.extend({
  task: z.array(z.string()).optional(),
  class: z.array(z.string()).optional(),
  state: z.array(z.enum(openTaskStates)).optional(),
  from: z.array(z.string()).optional(),
  dryRun: z.boolean().default(false),
});
export type TaskOptions = z.infer<typeof taskOptions>;

export function addTaskOptions(command: Command): Command {
  return command
    .option('--task <task>', 'only this task, by id or number; repeatable', collect)
    .option('--class <class>', 'only tasks of this class; repeatable', collect)
    .addOption(
      new Option('--state <state>', 'only tasks in this state; repeatable')
        .choices(openTaskStates)
        .argParser(collectOf(openTaskStates)),
    )
    .option('--from <task>', 'this task and all that hangs on it; repeatable', collect)
    .option('--dry-run', 'only say which tasks it would be about');
}

/** What the client is asked for. */
export function toChange(options: TaskOptions): ChangeOptions {
  const { task, class: classes, state, from, dryRun } = options;
  return { tasks: task, classes, states: state, from, dryRun };
}

/** Whether tasks are named, and not the run. */
export function namesTasks({ task, class: classes, state, from }: TaskOptions): boolean {
  return [task, classes, state, from].some((one) => one !== undefined);
}

/** `12 tasks are cancelled`, and of which classes. */
export function describeChange(
  answer: ChangeAnswer,
  words: { readonly done: string; readonly running: string; readonly isDryRun: boolean },
): readonly string[] {
  const { id, selected = 0, running = 0, classes = [] } = answer;
  if (selected === 0) return [`${id}: no such task has not ended`];
  const are = selected === 1 ? 'is' : 'are';
  const verb = words.isDryRun ? 'would be' : are;
  const rest = running === 0 ? '' : `; ${running} of them ${words.running}`;
  const before = answer.isNew || words.isDryRun ? '' : ' already';
  return [
    ...(words.isDryRun ? classes.map((one) => `  ${one.class}: ${one.selected}`) : []),
    `${id}: ${selected} ${selected === 1 ? 'task' : 'tasks'} ${verb}${before} ${words.done}${rest}`,
  ];
}
