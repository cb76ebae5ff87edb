import type { Command } from 'commander';
import { z } from 'zod';
import { type Cli, collect, globalOptions, parseTags } from './cli.ts';
import { parseOverrides } from './parameter-overrides.ts';
import { readSpecFile, type SpecFile } from './spec-file.ts';

/** Options of the commands that submit a spec. */
export const specOptions = globalOptions.extend({
  parameter: z.array(z.string()).default([]),
  tag: z.array(z.string()).default([]),
  name: z.string().optional(),
  dryRun: z.boolean().default(false),
});
export type SpecOptions = z.infer<typeof specOptions>;

/** Adds them, and the argument that names the spec. */
export function addSpecOptions(command: Command): Command {
  return command
    .argument('<spec>', 'a YAML, JSON or NDJSON file, or - for standard input')
    .option('-p, --parameter <NAME=a,b>', 'other values for a parameter; repeatable', collect)
    .option('--tag <name=value>', 'a tag for the run; repeatable', collect)
    .option('--name <name>', 'a name for the run')
    .option('--dry-run', 'only check the spec and show what it would become');
}

export function readSpec(cli: Cli, path: string, options: SpecOptions): Promise<SpecFile> {
  return readSpecFile(
    { path, cwd: cli.cwd, stdin: cli.stdin },
    {
      overrides: parseOverrides(options.parameter),
      tags: parseTags(options.tag),
      name: options.name,
    },
  );
}
