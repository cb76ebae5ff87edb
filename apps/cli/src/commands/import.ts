import { createReadStream } from 'node:fs';
import { resolve } from 'node:path';
import type { Command } from 'commander';
import { type AddCommand, globalOptions, readOptions } from '../cli.ts';
import { requireServer } from '../server.ts';

export const addImport: AddCommand = (program, cli) => {
  program
    .command('import')
    .argument('<file>', 'what "runnel export" wrote; - for standard input')
    .description('store a run that was exported, and print its id')
    .action(async (file: string, _options: unknown, command: Command) => {
      const options = readOptions(globalOptions, command);
      const { terminal, cwd } = cli;
      const { client } = requireServer(cli, options);
      const bytes = file === '-' ? process.stdin : createReadStream(resolve(cwd, file));
      const imported = await client.importRun(bytes);
      const { id, originalId } = imported;
      if (options.json) return terminal.printJson(imported);
      terminal.print(id);
      if (id !== originalId) terminal.say(`the id ${originalId} is taken here: it has a new one`);
    });
};
