import { createWriteStream } from 'node:fs';
import { rename, rm } from 'node:fs/promises';
import { resolve } from 'node:path';
import { pipeline } from 'node:stream/promises';
import type { Command } from 'commander';
import { z } from 'zod';
import { type AddCommand, globalOptions, readOptions } from '../cli.ts';
import { UsageError } from '../exit-codes.ts';
import { requireServer } from '../server.ts';

const exportOptions = globalOptions.extend({ output: z.string().optional() });

export const addExport: AddCommand = (program, cli) => {
  program
    .command('export')
    .argument('<run>', 'the id of a run that has ended')
    .description('write all of a run to a file: spec, tasks, attempts, outputs, logs')
    .option('-o, --output <file>', 'default: <run>.runnel.ndjson; - for standard output')
    .action(async (id: string, _options: unknown, command: Command) => {
      const options = readOptions(exportOptions, command);
      const { terminal, cwd } = cli;
      const { client } = requireServer(cli, options);
      const lines = client.exportRun(id);
      const file = options.output ?? `${id}.runnel.ndjson`;
      if (file === '-') {
        for await (const text of lines) terminal.write(text);
        return;
      }
      const path = resolve(cwd, file);
      // A file of that name is a whole bundle, or none.
      const part = `${path}.part`;
      try {
        await pipeline(lines, createWriteStream(part));
        await rename(part, path);
      } catch (error: unknown) {
        await rm(part, { force: true }).catch(() => undefined);
        throw toUsageError(error, file);
      }
      terminal.say(`${id} is in ${file}`);
    });
};

/** A place that can't be written to is the user's to change; everything else is told as it is. */
export function toUsageError(error: unknown, file: string): unknown {
  const isOfFiles = error instanceof Error && 'syscall' in error && 'path' in error;
  return isOfFiles ? new UsageError(`${file} can't be written: ${error.message}`) : error;
}
