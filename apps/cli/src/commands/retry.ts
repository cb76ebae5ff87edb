import type { WireRetried } from '@runnel/client';
import { finalTaskStates } from '@runnel/core';
import { type Command, Option } from 'commander';
import { z } from 'zod';
import { type AddCommand, collect, collectOf, globalOptions, readOptions } from '../cli.ts';
import { requireServer } from '../server.ts';

const retryOptions = globalOptions.extend({
  task: z.array(z.string()).optional(),
  class: z.array(z.string()).optional(),
  state: z.array(z.enum(finalTaskStates)).optional(),
  from: z.array(z.string()).optional(),
  dryRun: z.boolean().default(false),
});

const help = `
What hangs on a task that is brought back comes back with it, whatever its state; what is running is
left running. --task, --class and --state narrow what is brought back.

Examples:
  runnel retry RUN                              what failed or was cancelled
  runnel retry RUN --class clean --dry-run      say what would be brought back
  runnel retry RUN --from pull:CITY=seattle     this task and all after it, whatever their state`;

export const addRetry: AddCommand = (program, cli) => {
  program
    .command('retry')
    .argument('<run>', 'the id of a run')
    .description('bring tasks back that have ended, with all that hangs on them')
    .option('--task <task>', 'this task, by id or number; repeatable', collect)
    .option('--class <class>', 'tasks of this class; repeatable', collect)
    .addOption(
      new Option('--state <state>', 'tasks in this state; default failed and cancelled; repeatable')
        .choices(finalTaskStates)
        .argParser(collectOf(finalTaskStates)),
    )
    .option('--from <task>', 'this task, whatever its state; repeatable', collect)
    .option('--dry-run', 'only say what would be brought back')
    .addHelpText('after', help)
    .action(async (id: string, _options: unknown, command: Command) => {
      const options = readOptions(retryOptions, command);
      const { terminal } = cli;
      const answer = await requireServer(cli, options).client.retryRun(id, {
        tasks: options.task,
        classes: options.class,
        states: options.state,
        from: options.from,
        dryRun: options.dryRun,
      });
      if (options.json) terminal.printJson(answer);
      for (const line of describeRetry(answer, options.dryRun, hintOf(options))) terminal.say(line);
    });
};

/** Tasks that were named are often meant to run again although they succeeded. */
function hintOf({ task, class: classes, state }: z.infer<typeof retryOptions>): string {
  if (state !== undefined || (task ?? classes) === undefined) return '';
  return ': no such task has failed or was cancelled; --from brings back one that succeeded';
}

/** What a retry did, or would do. */
export function describeRetry(
  answer: WireRetried,
  isDryRun: boolean,
  hint = '',
): readonly string[] {
  const { id, reset, leftRunning, classes } = answer;
  if (reset + leftRunning === 0) return [`${id}: there is nothing to retry${hint}`];
  const are = reset === 1 ? 'is' : 'are';
  const verb = isDryRun ? 'would be brought back' : `${are} brought back`;
  const left = leftRunning === 0 ? '' : `, ${leftRunning} left running`;
  return [
    ...(isDryRun ? classes.map((one) => `  ${one.class}: ${one.reset}`) : []),
    `${id}: ${reset} ${reset === 1 ? 'task' : 'tasks'} ${verb}${left}`,
  ];
}
