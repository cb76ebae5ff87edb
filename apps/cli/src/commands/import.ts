import { open } from 'node:fs/promises';
import type { Command } from 'commander';
import { type AddCommand, globalOptions, readOptions } from '../cli.ts';
import { UsageError } from '../exit-codes.ts';
import { findFile } from '../find-file.ts';
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
      const bytes = file === '-' ? bytesOf(cli.stdin) : await openFile(cwd, file);
      const imported = await client.importRun(bytes);
      const { id, originalId } = imported;
      if (options.json) return terminal.printJson(imported);
      terminal.print(id);
      if (id !== originalId) terminal.say(`the id ${originalId} is taken here: it has a new one`);
    });
};

async function openFile(cwd: string, path: string): Promise<AsyncIterable<Uint8Array>> {
  const found = await findFile({ path, cwd }, 'the bundle in it');
  try {
    return (await open(found)).createReadStream();
  } catch (error: unknown) {
    const why = error instanceof Error ? error.message : String(error);
    throw new UsageError(`${path} can't be read: ${why}`);
  }
}

async function* bytesOf(stream: NodeJS.ReadableStream): AsyncGenerator<Uint8Array> {
  for await (const piece of stream) yield Buffer.from(piece);
}
