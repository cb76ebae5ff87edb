import type { Command } from 'commander';
import { type AddCommand, globalOptions, readOptions } from '../cli.ts';
import { exitCodeOfRun, exitCodes } from '../exit-codes.ts';
import { followRun } from '../follow-run.ts';
import { watchInterrupts } from '../interrupts.ts';
import { requireServer } from '../server.ts';
import { tellEnd } from '../tell-end.ts';

export const addWatch: AddCommand = (program, cli) => {
  program
    .command('watch')
    .argument('<run>', 'the id of a run')
    .description('follow a run to its end; Ctrl-C leaves it running')
    .action(async (id: string, _options: unknown, command: Command) => {
      const options = readOptions(globalOptions, command);
      const { client } = requireServer(cli, options);
      using interrupts = watchInterrupts();
      const { terminal } = cli;
      const run = await followRun({ client, id, terminal, signal: interrupts.first });
      if (run === null) return cli.finish(exitCodes.interrupted);
      await tellEnd(cli, run, { client, json: options.json, afterwards: 'server' });
      cli.finish(exitCodeOfRun(run.state));
    });
};
