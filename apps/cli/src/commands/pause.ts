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
Without --task, --class, --state and --from the whole run. A class is paused with those of its tasks that become
ready later.

Examples:
  runnel pause RUN                              the run
  runnel pause RUN --class clean                a class; the others go on`;

export const addPause: AddCommand = (program, cli) => {
  addTaskOptions(program.command('pause'))
    .argument('<run>', 'the id of a run')
    .description(
      'pause a run, or some of its tasks: what runs goes on, nothing more of them starts',
    )
    .addHelpText('after', help)
    .action(async (id: string, _options: unknown, command: Command) => {
      const options = readOptions(taskOptions, command);
      const { terminal } = cli;
      const answer = await requireServer(cli, options).client.pauseRun(id, toChange(options));
      if (options.json) terminal.printJson(answer);
      if (!namesTasks(options) && !options.dryRun) {
        terminal.say(answer.isNew ? `${id} is paused` : `${id} was paused before`);
        return;
      }
      const words = { done: 'paused', running: 'run to their end', isDryRun: options.dryRun };
      for (const line of describeChange(answer, words)) terminal.say(line);
    });
};
