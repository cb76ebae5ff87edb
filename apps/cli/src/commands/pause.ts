import type { Command } from 'commander';
import { type AddCommand, globalOptions, readOptions } from '../cli.ts';
import { requireServer } from '../server.ts';

export const addPause: AddCommand = (program, cli) => {
  program
    .command('pause')
    .argument('<run>', 'the id of a run')
    .description('pause a run: what runs goes on, nothing more starts')
    .action(async (id: string, _options: unknown, command: Command) => {
      const options = readOptions(globalOptions, command);
      const { terminal } = cli;
      const accepted = await requireServer(cli, options).client.pauseRun(id);
      if (options.json) terminal.printJson(accepted);
      terminal.say(accepted.isNew ? `${id} is paused` : `${id} was paused before`);
    });
};
