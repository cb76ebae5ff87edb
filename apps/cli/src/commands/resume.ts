import type { Command } from 'commander';
import { type AddCommand, readOptions } from '../cli.ts';
import { requireServer } from '../server.ts';
import {
  addTaskOptions,
  describeChange,
  namesTasks,
  taskOptions,
  toChange,
} from '../task-options.ts';

const help = `
Without --task, --class, --state and --from the run; classes and tasks that were paused by themselves stay so.

Examples:
  runnel resume RUN                             the run
  runnel resume RUN --class clean               a class`;

export const addResume: AddCommand = (program, cli) => {
  addTaskOptions(program.command('resume'))
    .argument('<run>', 'the id of a run')
    .description('let a paused run, or paused tasks of it, go on')
    .addHelpText('after', help)
    .action(async (id: string, _options: unknown, command: Command) => {
      const options = readOptions(taskOptions, command);
      const { terminal } = cli;
      const answer = await requireServer(cli, options).client.resumeRun(id, toChange(options));
      if (options.json) terminal.printJson(answer);
      if (!namesTasks(options) && !options.dryRun) {
        terminal.say(answer.isNew ? `${id} goes on` : `${id} was not paused`);
        return;
      }
      const words = { done: 'going on', running: 'run', isDryRun: options.dryRun };
      for (const line of describeChange(answer, words)) terminal.say(line);
    });
};
