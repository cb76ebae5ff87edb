import type { Command } from 'commander';
import { type AddCommand, globalOptions, readOptions } from '../cli.ts';
import { requireServer } from '../server.ts';

export const addRm: AddCommand = (program, cli) => {
  program
    .command('rm')
    .argument('<run>', 'the id of a run that has ended')
    .description('delete a run with its logs and outputs')
    .action(async (id: string, _options: unknown, command: Command) => {
      const options = readOptions(globalOptions, command);
      await requireServer(cli, options).client.deleteRun(id);
      cli.terminal.say(`${id} is deleted`);
    });
};
