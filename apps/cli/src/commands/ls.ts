import type { Command } from 'commander';
import { z } from 'zod';
import { type AddCommand, globalOptions, parseWhole, readOptions } from '../cli.ts';
import { mostRows, readPages, tellMore } from '../read-pages.ts';
import { renderRuns } from '../render-runs.ts';
import { addRunFilters, runFilterOptions, toFilters } from '../run-filters.ts';
import { requireServer } from '../server.ts';

const lsOptions = globalOptions.extend({ ...runFilterOptions, limit: z.number().default(20) });

export const addLs: AddCommand = (program, cli) => {
  addRunFilters(program.command('ls'))
    .description('list runs, newest first, also those in the archive')
    .option(
      '--limit <n>',
      `at most so many, up to ${mostRows}; default 20`,
      parseWhole('--limit', 1, mostRows),
    )
    .action(async (_options: unknown, command: Command) => {
      const { url, token, json, limit, ...filters } = readOptions(lsOptions, command);
      const { terminal } = cli;
      const { client } = requireServer(cli, { url, token });
      const query = toFilters(filters);
      const { rows: runs, hasMore } = await readPages({ limit, perPage: 200 }, async (page) => {
        const { runs: rows, next } = await client.listRuns({ ...query, ...page });
        return { rows, next };
      });
      if (json) return terminal.printJson(runs);
      for (const line of renderRuns(runs, terminal.dataStyle, Date.now())) terminal.print(line);
      if (runs.length === 0) terminal.say('no runs');
      if (hasMore) terminal.say(tellMore(limit));
    });
};
