import { isFinalRunState } from '@runnel/core';
import type { Command } from 'commander';
import { z } from 'zod';
import { type AddCommand, type Cli, globalOptions, readOptions } from '../cli.ts';
import { exitCodeOfRun, exitCodes } from '../exit-codes.ts';
import { followRun } from '../follow-run.ts';
import { watchInterrupts } from '../interrupts.ts';
import { type PrintEventsOptions, printEvents } from '../print-events.ts';
import { requireServer } from '../server.ts';
import { tellEnd } from '../tell-end.ts';

const watchOptions = globalOptions.extend({ events: z.boolean().default(false) });

export const addWatch: AddCommand = (program, cli) => {
  program
    .command('watch')
    .argument('<run>', 'the id of a run')
    .description('follow a run to its end; Ctrl-C leaves it running')
    .option('--events', 'print what happens, an event a line, from the start of the run')
    .action(async (id: string, _options: unknown, command: Command) => {
      const options = readOptions(watchOptions, command);
      const { client } = requireServer(cli, options);
      using interrupts = watchInterrupts();
      const { terminal } = cli;
      if (options.events) {
        const { json } = options;
        return await watchEvents(cli, { client, id, terminal, json, signal: interrupts.first });
      }
      const run = await followRun({ client, id, terminal, signal: interrupts.first });
      if (run === null) return cli.finish(exitCodes.interrupted);
      await tellEnd(cli, run, { client, json: options.json, afterwards: 'server' });
      cli.finish(exitCodeOfRun(run.state));
    });
};

async function watchEvents(cli: Cli, options: PrintEventsOptions): Promise<void> {
  try {
    await printEvents(options);
  } catch (error: unknown) {
    if (!options.signal.aborted) throw error;
    return cli.finish(exitCodes.interrupted);
  }
  const { state } = await options.client.getRun(options.id);
  if (isFinalRunState(state)) cli.finish(exitCodeOfRun(state));
}
