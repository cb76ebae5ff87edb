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
Without --task, --class, --state and --from the whole run. Where tasks are named, the others go on; what needs
a cancelled task is skipped.

Examples:
  runnel cancel RUN                             the run
  runnel cancel RUN --class clean --dry-run     say which tasks that would be
  runnel cancel RUN --from pull:CITY=seattle    this task and all that hangs on it`;

export const addCancel: AddCommand = (program, cli) => {
  addTaskOptions(program.command('cancel'))
    .argument('<run>', 'the id of a run')
    .description(
      'cancel a run, or some of its tasks: nothing more of them starts, and what runs is ended',
    )
    .addHelpText('after', help)
    .action(async (id: string, _options: unknown, command: Command) => {
      const options = readOptions(taskOptions, command);
      const { terminal } = cli;
      const answer = await requireServer(cli, options).client.cancelRun(id, toChange(options));
      if (options.json) terminal.printJson(answer);
      if (!namesTasks(options) && !options.dryRun) {
        terminal.say(answer.isNew ? `${id} is being cancelled` : `${id} was cancelled before`);
        return;
      }
      const words = {
        done: 'cancelled',
        running: 'have to be ended by their workers',
        isDryRun: options.dryRun,
      };
      for (const line of describeChange(answer, words)) terminal.say(line);
    });
};
