import { runStates } from '@runnel/core';
import { type Command, Option } from 'commander';
import { z } from 'zod';
import { type AddCommand, globalOptions, parseWhole, readOptions } from '../cli.ts';
import { renderRuns } from '../render-runs.ts';
import { requireServer } from '../server.ts';

const lsOptions = globalOptions.extend({
  state: z.enum(runStates).optional(),
  limit: z.number().default(20),
});

export const addLs: AddCommand = (program, cli) => {
  program
    .command('ls')
    .description('list runs, newest first')
    .addOption(new Option('--state <state>', 'only runs in this state').choices(runStates))
    .option('--limit <n>', 'at most so many; default 20', parseWhole('--limit', 1, 200))
    .action(async (_options: unknown, command: Command) => {
      const options = readOptions(lsOptions, command);
      const { terminal } = cli;
      const { client } = requireServer(cli, options);
      const { state, limit } = options;
      const page = await client.listRuns({ limit, ...(state === undefined ? {} : { state }) });
      if (options.json) return terminal.printJson(page.runs);
      for (const line of renderRuns(page.runs, terminal.dataStyle, Date.now()))
        terminal.print(line);
      if (page.runs.length === 0) terminal.say('no runs');
      if (page.next !== null) terminal.say('… there are more: --limit');
    });
};
