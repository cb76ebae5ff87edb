import type { Command } from 'commander';
import { type AddCommand, globalOptions, readOptions } from '../cli.ts';
import { requireServer } from '../server.ts';

export const addCancel: AddCommand = (program, cli) => {
  program
    .command('cancel')
    .argument('<run>', 'the id of a run')
    .description('cancel a run: nothing more starts, and what runs is ended')
    .action(async (id: string, _options: unknown, command: Command) => {
      const options = readOptions(globalOptions, command);
      const { terminal } = cli;
      const accepted = await requireServer(cli, options).client.cancelRun(id);
      if (options.json) terminal.printJson(accepted);
      terminal.say(accepted.isNew ? `${id} is being cancelled` : `${id} was cancelled before`);
    });
};
