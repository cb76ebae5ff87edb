import type { Client } from '@runnel/client';
import { plural } from '@runnel/core';
import { type Command, Option } from 'commander';
import { z } from 'zod';
import { checkSpec } from '../check-spec.ts';
import { type AddCommand, type Cli, readOptions } from '../cli.ts';
import { closeStack } from '../dev/close-stack.ts';
import { type ExitCode, exitCodeOfRun, exitCodes } from '../exit-codes.ts';
import { followRun } from '../follow-run.ts';
import { type Interrupts, watchInterrupts } from '../interrupts.ts';
import { findServer, type Server } from '../server.ts';
import type { SpecFile } from '../spec-file.ts';
import { addSpecOptions, readSpec, specOptions } from '../spec-options.ts';
import { submitSpec } from '../submit-spec.ts';
import type { Afterwards } from '../summary.ts';
import { tellEnd } from '../tell-end.ts';

const runOptions = specOptions.extend({
  local: z.boolean().default(false),
  functions: z.string().optional(),
  executors: z.string().optional(),
});
type RunOptions = z.infer<typeof runOptions>;

export const addRun: AddCommand = (program, cli) => {
  addSpecOptions(program.command('run'))
    .description('run a spec to its end; the exit code is how the run ended')
    .addOption(new Option('--local', 'on this machine, with a Redis and processes of its own'))
    .option('--functions <files>', 'modules with functions, separated by commas; with --local')
    .option('--executors <files>', 'modules with executors, separated by commas; with --local')
    .addHelpText(
      'after',
      `
Without --local it runs on the server of --url or RUNNEL_URL, else on the "runnel dev" of this
folder, else here. Ctrl-C cancels the run; a second one leaves at once.

Examples:
  runnel run run.yaml
  runnel run run.yaml -p CITY=seattle,boston -p YEAR=2015 --tag team=data
  runnel run run.yaml --functions ./functions.ts --local`,
    )
    .action(async (path: string, _options: unknown, command: Command) => {
      await run(cli, path, readOptions(runOptions, command));
    });
};

async function run(cli: Cli, path: string, options: RunOptions): Promise<void> {
  const { json, executors } = options;
  const spec = await readSpec(cli, path, options);
  const server = options.local ? null : await findLiveServer(cli, options);
  if (options.dryRun) return checkSpec(cli, spec, { server, executors, json });
  using interrupts = watchInterrupts();
  const job = { cli, spec, options, interrupts };
  if (server !== null) {
    return cli.finish(await runThere(job, { ...server, afterwards: 'server' }));
  }
  cli.finish(await runHere(job));
}

/** The file of a `runnel dev` may outlive it; what the user named is not second-guessed. */
async function findLiveServer(cli: Cli, options: RunOptions): Promise<Server | null> {
  const server = findServer(cli, options);
  if (server?.origin !== 'dev' || (await server.client.isReady())) return server;
  cli.terminal.say(`the "runnel dev" of this folder does not answer at ${server.url}`);
  return null;
}

interface RunJob {
  readonly cli: Cli;
  readonly spec: SpecFile;
  readonly options: RunOptions;
  readonly interrupts: Interrupts;
}

/** With processes of its own, which end with the run. */
async function runHere(job: RunJob): Promise<ExitCode> {
  const { cli, spec, options, interrupts } = job;
  if (!options.local) cli.terminal.say('no --url or RUNNEL_URL: running here');
  const { functions, executors } = options;
  const { startLocalStack } = await import('../local-stack.ts');
  const asked = { folder: spec.folder, functions, executors, signal: interrupts.first };
  const local = await startLocalStack(cli, asked).catch((error: unknown) => {
    if (interrupts.first.aborted) return null;
    throw error;
  });
  if (local === null) return exitCodes.interrupted;
  const { stack } = local;
  const { client } = stack;
  try {
    await tellUnfinished(cli, client);
    return await runThere(job, { ...local, client });
  } finally {
    await closeStack(stack, interrupts);
  }
}

/** Nothing that was submitted is lost: what an earlier end of the processes cut off goes on as well. */
async function tellUnfinished({ terminal }: Cli, client: Client): Promise<void> {
  const { runs } = await client.listRuns({ state: 'running', limit: 5 });
  for (const { id, name } of runs) {
    terminal.say(
      `an earlier run is unfinished and goes on too: ${id}${name === null ? '' : ` (${name})`}`,
    );
  }
}

async function runThere(
  { cli, spec, options, interrupts }: RunJob,
  server: Pick<Server, 'client' | 'url'> & { readonly afterwards: Afterwards },
): Promise<ExitCode> {
  const { terminal } = cli;
  const { client } = server;
  const { id, tasks } = await submitSpec(cli, spec, server);
  terminal.say(`run ${id}: ${plural(tasks, 'task')}`);

  interrupts.first.addEventListener('abort', () => {
    terminal.say('cancelling … (Ctrl-C again: leave at once)');
    client.cancelRun(id).catch((error: unknown) => {
      terminal.say(`could not be cancelled: ${String(error)}`);
    });
  });
  // It may have come while the spec was on its way.
  if (interrupts.first.aborted) await client.cancelRun(id);

  const ended = await followRun({ client, id, terminal, signal: interrupts.second });
  if (ended === null) return exitCodes.interrupted;
  await tellEnd(cli, ended, { client, json: options.json, afterwards: server.afterwards });
  return interrupts.first.aborted ? exitCodes.interrupted : exitCodeOfRun(ended.state);
}
