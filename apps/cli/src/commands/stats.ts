import type { WireClassStatistics } from '@runnel/client';
import type { Command } from 'commander';
import { type AddCommand, globalOptions, readOptions } from '../cli.ts';
import { formatElapsed } from '../format-time.ts';
import { requireServer } from '../server.ts';
import { formatTable } from '../table.ts';

export const addStats: AddCommand = (program, cli) => {
  program
    .command('stats')
    .argument('<run>', 'the id of a run')
    .description('show durations, failures and retries by class')
    .action(async (id: string, _options: unknown, command: Command) => {
      const options = readOptions(globalOptions, command);
      const { client } = requireServer(cli, options);
      const statistics = await client.getStatistics(id);
      if (options.json) cli.terminal.printJson(statistics);
      else for (const line of renderStatistics(statistics.classes)) cli.terminal.print(line);
    });
};

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
