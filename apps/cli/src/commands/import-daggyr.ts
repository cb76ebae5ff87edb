import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { SpecError } from '@runnel/core';
import { type Imported, importSettings, settingsFile } from '@runnel/daggyr';
import type { Command } from 'commander';
import { type AddCommand, type Cli, globalOptions, readOptions } from '../cli.ts';
import { UsageError } from '../exit-codes.ts';

export const addImportDaggyr: AddCommand = (program, cli) => {
  program
    .command('import-daggyr')
    .argument('<files...>', "DaggyR's server.json or agent.json")
    .description("print DaggyR's settings as a settings file of Runnel's; remarks go to stderr")
    .addHelpText('after', '\nExample:\n  runnel import-daggyr server.json > runnel.yaml')
    .action(async (paths: readonly string[], _options: unknown, command: Command) => {
      const { json } = readOptions(globalOptions, command);
      const all: (Imported & { readonly path: string })[] = [];
      for (const path of paths) all.push({ path, ...read(path, await readText(cli, path)) });
      for (const { path, remarks } of all) {
        for (const remark of remarks) cli.terminal.say(`${path}: ${remark}`);
      }
      if (json) cli.terminal.printJson(all.map(({ path, settings }) => ({ path, settings })));
      else cli.terminal.print(all.map((one) => settingsFile(one.settings, one.path)).join(between));
    });
};

/** Each process has one file: what belongs to different machines stays apart. */
const between = '\n---\n';

async function readText({ cwd }: Cli, path: string): Promise<string> {
  try {
    return await readFile(resolve(cwd, path), 'utf8');
  } catch (error: unknown) {
    const why = error instanceof Error ? error.message : String(error);
    throw new UsageError(`${path} can't be read: ${why}`, { cause: error });
  }
}

function read(path: string, text: string): Imported {
  try {
    return importSettings(JSON.parse(text));
  } catch (error: unknown) {
    if (error instanceof SyntaxError) {
      throw new UsageError(`${path} is not JSON: ${error.message}`, { cause: error });
    }
    if (error instanceof SpecError) {
      throw new UsageError(`${path} is no settings file of DaggyR's:\n${error.message}`, {
        cause: error,
      });
    }
    throw error;
  }
}
