import type { Command } from 'commander';
import { z } from 'zod';
import { type AddCommand, globalOptions, parseWhole, readOptions } from '../cli.ts';
import { exitCodes } from '../exit-codes.ts';
import { watchInterrupts } from '../interrupts.ts';
import { requireServer } from '../server.ts';

const logsOptions = globalOptions.extend({
  follow: z.boolean().default(false),
  attempt: z.number().optional(),
});

export const addLogs: AddCommand = (program, cli) => {
  program
    .command('logs')
    .argument('<run>', 'the id of a run')
    .argument('<task>', 'the id or number of a task')
    .description('print what a task wrote')
    .option('-f, --follow', 'until the attempt has ended')
    .option('--attempt <n>', 'of this attempt; default: the last', parseWhole('--attempt', 1, 255))
    .action(async (id: string, task: string, _options: unknown, command: Command) => {
      const options = readOptions(logsOptions, command);
      const { terminal } = cli;
      const { client } = requireServer(cli, options);
      const attempt = options.attempt === undefined ? {} : { attempt: options.attempt };
      if (!options.follow) {
        const log = await client.getLog(id, task, attempt);
        return terminal.write(options.json ? `${JSON.stringify(log, null, 2)}\n` : log.text);
      }
      using interrupts = watchInterrupts();
      try {
        const log = client.followLog(id, task, { ...attempt, signal: interrupts.first });
        for await (const text of log) terminal.write(text);
      } catch (error: unknown) {
        if (!interrupts.first.aborted) throw error;
        cli.finish(exitCodes.interrupted);
      }
    });
};
