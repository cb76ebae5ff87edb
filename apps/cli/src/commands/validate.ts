import { z } from 'zod';
import { type AddCommand, type Cli, collect, globalOptions, readOptions } from '../cli.ts';
import { exitCodes } from '../exit-codes.ts';
import { parseOverrides } from '../parameter-overrides.ts';
import { findServer } from '../server.ts';
import type { SpecFile } from '../spec-file.ts';
import { readSpecFile } from '../spec-file.ts';
import { describeProblem, InvalidSpecError, toInvalidSpec } from '../spec-problems.ts';
import { formatTable } from '../table.ts';
import type { Validated } from '../validate-spec.ts';
import { validateHere, validateThere } from '../validate-spec.ts';

const validateOptions = globalOptions.extend({
  parameter: z.array(z.string()).default([]),
  executors: z.string().optional(),
});
type ValidateOptions = z.infer<typeof validateOptions>;

export const addValidate: AddCommand = (program, cli) => {
  program
    .command('validate')
    .argument('<spec>', 'a YAML or JSON file, or - for standard input')
    .description('check a spec and show what it would become; nothing is stored')
    .option('-p, --parameter <NAME=a,b>', 'other values for a parameter; repeatable', collect)
    .option('--executors <files>', 'modules with executors of your own, separated by commas')
    .action(async (path: string, _options: unknown, command) => {
      const options = readOptions(validateOptions, command);
      await validate(cli, path, options);
    });
};

async function validate(cli: Cli, path: string, options: ValidateOptions): Promise<void> {
  try {
    const spec = await readSpecFile(
      { path, cwd: cli.cwd, stdin: cli.stdin },
      { overrides: parseOverrides(options.parameter), tags: {} },
    );
    const validated = await checkSpec(cli, spec, options);
    tellValidated(cli, spec, { validated, json: options.json });
    cli.finish(exitCodes.ok);
  } catch (error: unknown) {
    if (!options.json || !(error instanceof InvalidSpecError)) throw error;
    cli.terminal.print(JSON.stringify({ valid: false, errors: error.issues }, null, 2));
    throw error;
  }
}

/** The server knows its executors and pools; without one, this folder's settings have to do. */
async function checkSpec(cli: Cli, spec: SpecFile, options: ValidateOptions): Promise<Validated> {
  const server = findServer(cli, options);
  try {
    return server === null
      ? await validateHere(spec, { env: cli.env, cwd: cli.cwd, executors: options.executors })
      : await validateThere(spec, server);
  } catch (error: unknown) {
    throw toInvalidSpec(error, spec);
  }
}

/** What a valid spec would become; also for --dry-run. */
export function tellValidated(
  { terminal }: Cli,
  spec: SpecFile,
  { validated, json }: { readonly validated: Validated; readonly json: boolean },
): void {
  if (json) {
    terminal.print(JSON.stringify({ valid: true, ...validated }, null, 2));
    return;
  }
  for (const warning of validated.warnings) {
    terminal.say(`${terminal.style.yellow('warning')} ${describeProblem(warning, spec)}`);
  }
  const rows = validated.classes.map((row) => [row.class, String(row.tasks)]);
  for (const line of formatTable(['CLASS', 'TASKS'], rows)) terminal.print(line);
  const { tasks, edges } = validated;
  terminal.say(`${spec.label} is valid: ${tasks} tasks, ${edges} edges`);
}
