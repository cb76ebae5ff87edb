import type { Command } from 'commander';
import { z } from 'zod';
import { checkSpec } from '../check-spec.ts';
import { type AddCommand, type Cli, collect, globalOptions, readOptions } from '../cli.ts';
import { parseOverrides } from '../parameter-overrides.ts';
import { findServer } from '../server.ts';
import { readSpecFile } from '../spec-file.ts';
import { InvalidSpecError } from '../spec-problems.ts';

const validateOptions = globalOptions.extend({
  parameter: z.array(z.string()).default([]),
  executors: z.string().optional(),
});
type ValidateOptions = z.infer<typeof validateOptions>;

export const addValidate: AddCommand = (program, cli) => {
  program
    .command('validate')
    .argument('<spec>', 'a YAML, JSON or NDJSON file, or - for standard input')
    .description('check a spec and show what it would become; needs no server')
    .option('-p, --parameter <NAME=a,b>', 'other values for a parameter; repeatable', collect)
    .option('--executors <files>', 'modules with executors of your own, separated by commas')
    .addHelpText('after', '\nExample:\n  runnel validate run.yaml')
    .action(async (path: string, _options: unknown, command: Command) => {
      await validate(cli, path, readOptions(validateOptions, command));
    });
};

async function validate(cli: Cli, path: string, options: ValidateOptions): Promise<void> {
  const { executors, json, parameter } = options;
  try {
    const changes = { overrides: parseOverrides(parameter), tags: {} };
    const spec = await readSpecFile({ path, cwd: cli.cwd, stdin: cli.stdin }, changes);
    await checkSpec(cli, spec, { server: findServer(cli, options), executors, json });
  } catch (error: unknown) {
    if (json && error instanceof InvalidSpecError) {
      cli.terminal.printJson({ valid: false, errors: error.issues });
    }
    throw error;
  }
}
