import type { Client, RunFilters, WireClassStatistics, WireStatistics } from '@runnel/client';
import type { Command } from 'commander';
import { z } from 'zod';
import { type AddCommand, globalOptions, parseWhole, readOptions } from '../cli.ts';
import { UsageError } from '../exit-codes.ts';
import { formatElapsed } from '../format-time.ts';
import { addRunFilters, runFilterOptions, toFilters } from '../run-filters.ts';
import { requireServer } from '../server.ts';
import { formatTable } from '../table.ts';

const statsOptions = globalOptions.extend({ ...runFilterOptions, runs: z.number().optional() });

export const addStats: AddCommand = (program, cli) => {
  addRunFilters(program.command('stats').argument('[run]', 'the id of a run'))
    .description(
      'show durations, failures and retries by class: of a run, or of runs that have ended',
    )
    .option('--runs <n>', 'of the newest so many; default 100', parseWhole('--runs', 1, 1_000))
    .addHelpText('after', '\nExample:\n  runnel stats --name nightly --tag team=data')
    .action(async (id: string | undefined, _options: unknown, command: Command) => {
      const { url, token, json, runs, ...filters } = readOptions(statsOptions, command);
      const { client } = requireServer(cli, { url, token });
      const wanted = { ...toFilters(filters), ...(runs === undefined ? {} : { runs }) };
      const statistics = await readStatistics(client, id, wanted);
      if (json) return cli.terminal.printJson(statistics);
      const { classes } = statistics;
      if (classes.length > 0)
        for (const line of renderStatistics(classes)) cli.terminal.print(line);
      if (id === undefined) cli.terminal.say(describeRuns(statistics));
    });
};

async function readStatistics(
  client: Client,
  id: string | undefined,
  wanted: RunFilters & { readonly runs?: number },
): Promise<WireStatistics> {
  if (id === undefined) return await client.getHistory(wanted);
  const [option] = Object.keys(wanted);
  if (option === undefined) return await client.getStatistics(id);
  throw new UsageError('stats: name a run, or say which runs by options, not both');
}

/** What was counted. */
export function describeRuns({ runs, since }: WireStatistics): string {
  if (runs === 0 || since === null) return 'no such run has ended';
  return `${runs === 1 ? '1 run' : `${runs} runs`} since ${since}`;
}

/** A table with a line a class. */
export function renderStatistics(classes: readonly WireClassStatistics[]): readonly string[] {
  const rows = classes.map((one) => [
    one.class,
    String(one.tasks),
    String(one.attempts),
    one.failureRate === null ? '-' : `${(one.failureRate * 100).toFixed(1)} %`,
    String(one.retriedTasks),
    one.p50Ms === null ? '-' : formatElapsed(one.p50Ms),
    one.p95Ms === null ? '-' : formatElapsed(one.p95Ms),
  ]);
  return formatTable(['CLASS', 'TASKS', 'ATTEMPTS', 'FAILED', 'RETRIED', 'P50', 'P95'], rows);
}
