import type { Command } from 'commander';
import { type AddCommand, globalOptions, readOptions } from '../cli.ts';
import { requireServer } from '../server.ts';

export const addResume: AddCommand = (program, cli) => {
  program
    .command('resume')
    .argument('<run>', 'the id of a run')
    .description('let a paused run go on')
    .action(async (id: string, _options: unknown, command: Command) => {
      const options = readOptions(globalOptions, command);
      const { terminal } = cli;
      const accepted = await requireServer(cli, options).client.resumeRun(id);
      if (options.json) terminal.printJson(accepted);
      terminal.say(accepted.isNew ? `${id} goes on` : `${id} was not paused`);
    });
};
