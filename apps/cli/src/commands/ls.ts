import type { Client, ListRunsQuery, WireRunSummary } from '@runnel/client';
import type { Command } from 'commander';
import { z } from 'zod';
import { type AddCommand, globalOptions, parseWhole, readOptions } from '../cli.ts';
import { renderRuns } from '../render-runs.ts';
import { addRunFilters, runFilterOptions, toFilters } from '../run-filters.ts';
import { requireServer } from '../server.ts';

const lsOptions = globalOptions.extend({ ...runFilterOptions, limit: z.number().default(20) });

export const addLs: AddCommand = (program, cli) => {
  addRunFilters(program.command('ls'))
    .description('list runs, newest first, also those in the archive')
    .option('--limit <n>', 'at most so many; default 20', parseWhole('--limit', 1, 200))
    .action(async (_options: unknown, command: Command) => {
      const { url, token, json, limit, ...filters } = readOptions(lsOptions, command);
      const { terminal } = cli;
      const { client } = requireServer(cli, { url, token });
      const { runs, hasMore } = await readRuns(client, toFilters(filters), limit);
      if (json) return terminal.printJson(runs);
      for (const line of renderRuns(runs, terminal.dataStyle, Date.now())) terminal.print(line);
      if (runs.length === 0) terminal.say('no runs');
      if (hasMore) terminal.say('… there are more: --limit');
    });
};

/** So many runs, if there are: a page may have fewer. */
async function readRuns(
  client: Client,
  query: ListRunsQuery,
  limit: number,
): Promise<{ readonly runs: readonly WireRunSummary[]; readonly hasMore: boolean }> {
  const runs: WireRunSummary[] = [];
  let cursor: string | null = null;
  do {
    const rest = limit - runs.length;
    const from = cursor === null ? {} : { cursor };
    const page = await client.listRuns({ ...query, ...from, limit: rest });
    runs.push(...page.runs);
    cursor = page.next;
  } while (cursor !== null && runs.length < limit);
  return { runs, hasMore: cursor !== null };
}
