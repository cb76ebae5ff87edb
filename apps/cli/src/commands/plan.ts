import type { Command } from 'commander';
import { z } from 'zod';
import {
  type AddCommand,
  type Cli,
  collect,
  globalOptions,
  parseWhole,
  readOptions,
} from '../cli.ts';
import { UsageError } from '../exit-codes.ts';
import { parseOverrides } from '../parameter-overrides.ts';
import { renderMeasures } from '../render-plan.ts';
import { readSpecFile, type SpecFile } from '../spec-file.ts';
import { toInvalidSpec } from '../spec-problems.ts';

const planOptions = globalOptions.extend({
  parameter: z.array(z.string()).default([]),
  executors: z.string().optional(),
  simulate: z.boolean().default(false),
  duration: z.array(z.string()).default([]),
  slots: z.array(z.string()).default([]),
  failureRate: z.array(z.string()).default([]),
  seed: z.number().default(1),
  learn: z.union([z.boolean(), z.string()]).optional(),
});
export type PlanOptions = z.infer<typeof planOptions>;

export const addPlan: AddCommand = (program, cli) => {
  program
    .command('plan')
    .argument('<spec>', 'a YAML, JSON or NDJSON file, or - for standard input')
    .description('say how large a run would be, and with --simulate how long it would take')
    .option('-p, --parameter <NAME=a,b>', 'other values for a parameter; repeatable', collect)
    .option('--executors <files>', 'modules with executors of your own, separated by commas')
    .option('--simulate', 'play the run: makespan, critical path, what would shorten it')
    .option(
      '--duration <CLASS=2s..10s>',
      'p50 and p95 of an attempt, or one for both; without CLASS= of all others; default 1s; repeatable',
      collect,
    )
    .option(
      '--slots <POOL=8>',
      'tasks of a pool that run at once, POOL.waits for those that only wait; default: one worker of this folder; repeatable',
      collect,
    )
    .option(
      '--failure-rate <CLASS=0.01>',
      'share of attempts that fail, 0 to 1; without CLASS= of all others; default 0; repeatable',
      collect,
    )
    .option(
      '--learn [name]',
      "durations and failures of the last 20 runs of this name, or of the spec's, from a server",
    )
    .option(
      '--seed <n>',
      'other luck, the same for the same number; default 1',
      parseWhole('--seed', 0, 2 ** 31 - 1),
    )
    .addHelpText(
      'after',
      '\nExample:\n  runnel plan run.yaml --simulate --duration pull=2s..10s --slots default=8',
    )
    .action(async (path: string, _options: unknown, command: Command) => {
      await plan(cli, path, readOptions(planOptions, command));
    });
};

async function plan(cli: Cli, path: string, options: PlanOptions): Promise<void> {
  const changes = { overrides: parseOverrides(options.parameter), tags: {} };
  const spec = await readSpecFile({ path, cwd: cli.cwd, stdin: cli.stdin }, changes);
  if (options.simulate) return await simulateHere(cli, spec, options);
  const given = [options.duration, options.slots, options.failureRate];
  if (given.some(({ length }) => length > 0) || options.learn !== undefined) {
    throw new UsageError('--duration, --slots, --failure-rate and --learn need --simulate');
  }
  const { validateHere } = await import('../validate-here.ts');
  const around = { env: cli.env, cwd: cli.cwd, executors: options.executors };
  const measures = await validateHere(spec, around).catch((error: unknown) => {
    throw toInvalidSpec(error, spec);
  });
  if (options.json) cli.terminal.printJson(measures);
  else for (const line of renderMeasures(measures)) cli.terminal.print(line);
}

async function simulateHere(cli: Cli, spec: SpecFile, options: PlanOptions): Promise<void> {
  const { simulateSpec } = await import('../simulate-spec.ts');
  await simulateSpec(cli, spec, options);
}
