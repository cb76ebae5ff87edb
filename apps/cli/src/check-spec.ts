import { plural } from '@runnel/core';
import type { Cli } from './cli.ts';
import type { Server } from './server.ts';
import type { SpecFile } from './spec-file.ts';
import { describeProblem, fromWire, toInvalidSpec } from './spec-problems.ts';
import { sourceOf } from './submit-spec.ts';
import { formatTable } from './table.ts';
import type { Validated } from './validate-here.ts';

export interface CheckOptions {
  /** Knows its executors and pools; without one, this folder's settings have to do. */
  readonly server: Server | null;
  /** Modules with executors, separated by commas. */
  readonly executors?: string | undefined;
  readonly json: boolean;
}

/** Says what a spec would become. Throws InvalidSpecError with everything that is wrong. */
export async function checkSpec(cli: Cli, spec: SpecFile, options: CheckOptions): Promise<void> {
  const { terminal } = cli;
  const validated = await validate(cli, spec, options);
  if (options.json) {
    terminal.printJson({ valid: true, ...validated });
    return;
  }
  for (const warning of validated.warnings) {
    terminal.say(`${terminal.style.yellow('warning')} ${describeProblem(warning, spec)}`);
  }
  const rows = validated.classes.map((row) => [row.class, String(row.tasks)]);
  for (const line of formatTable(['CLASS', 'TASKS'], rows)) terminal.print(line);
  const { tasks, edges } = validated;
  terminal.say(`${spec.label} is valid: ${plural(tasks, 'task')}, ${plural(edges, 'edge')}`);
}

async function validate(cli: Cli, spec: SpecFile, options: CheckOptions): Promise<Validated> {
  const { server, executors } = options;
  try {
    if (server !== null) return await validateThere(spec, server);
    const { validateHere } = await import('./validate-here.ts');
    return await validateHere(spec, { env: cli.env, cwd: cli.cwd, executors });
  } catch (error: unknown) {
    throw toInvalidSpec(error, spec);
  }
}

async function validateThere(spec: SpecFile, { client, url }: Server): Promise<Validated> {
  const answer = await client.validateRun(spec.document, await sourceOf(spec, url));
  return { ...answer, warnings: answer.warnings.map((issue) => fromWire(issue, spec)) };
}
