import type { Command } from 'commander';
import { type AddCommand, globalOptions, readOptions } from '../cli.ts';
import { renderWhy } from '../render-why.ts';
import { requireServer } from '../server.ts';

export const addWhy: AddCommand = (program, cli) => {
  program
    .command('why')
    .argument('<run>', 'the id of a run')
    .argument('[task]', 'the id or number of a task')
    .description('say what a run or a task waits for, or why it ended as it did')
    .action(async (id: string, task: string | undefined, _options: unknown, command: Command) => {
      const options = readOptions(globalOptions, command);
      const { client } = requireServer(cli, options);
      const why = await client.why(id, task);
      if (options.json) cli.terminal.printJson(why);
      else for (const line of renderWhy(why, cli.terminal.dataStyle)) cli.terminal.print(line);
    });
};
