import type { Client, ListRunsQuery, WireRunSummary } from '@runnel/client';
import { runStates } from '@runnel/core';
import { type Command, InvalidArgumentError, Option } from 'commander';
import { z } from 'zod';
import { type AddCommand, globalOptions, parseWhole, readOptions } from '../cli.ts';
import { renderRuns } from '../render-runs.ts';
import { requireServer } from '../server.ts';

const lsOptions = globalOptions.extend({
  state: z.enum(runStates).optional(),
  tag: z.array(z.string()).optional(),
  name: z.string().optional(),
  text: z.string().optional(),
  since: z.date().optional(),
  until: z.date().optional(),
  endedSince: z.date().optional(),
  endedUntil: z.date().optional(),
  limit: z.number().default(20),
});

export const addLs: AddCommand = (program, cli) => {
  program
    .command('ls')
    .description('list runs, newest first, also those in the archive')
    .addOption(new Option('--state <state>', 'only runs in this state').choices(runStates))
    .option('--tag <tag>', 'with this tag: team=data, team=da*, team; repeat for more', addTag)
    .option('--name <name>', 'of this name')
    .option('--text <text>', 'with this in their name')
    .option('--since <time>', 'created at or after: 2030-01-31, 2030-01-31T08:00Z', parseTime)
    .option('--until <time>', 'created at or before', parseTime)
    .option('--ended-since <time>', 'ended at or after', parseTime)
    .option('--ended-until <time>', 'ended at or before', parseTime)
    .option('--limit <n>', 'at most so many; default 20', parseWhole('--limit', 1, 200))
    .action(async (_options: unknown, command: Command) => {
      const { url, token, json, limit, tag, ...filter } = readOptions(lsOptions, command);
      const { terminal } = cli;
      const { client } = requireServer(cli, { url, token });
      const given = Object.entries(filter).filter(([, value]) => value !== undefined);
      const tags = tag === undefined ? {} : { tags: tag };
      const query = { ...Object.fromEntries(given), ...tags };
      const { runs, hasMore } = await readRuns(client, query, limit);
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

/** `team=data` as the API has it. */
function addTag(text: string, tags: readonly string[] = []): readonly string[] {
  return [...tags, text.replace('=', ':')];
}

function parseTime(text: string): Date {
  const time = new Date(text);
  if (!Number.isNaN(time.getTime())) return time;
  throw new InvalidArgumentError('write a time such as 2030-01-31 or 2030-01-31T08:00:00Z.');
}
