import type { RunFilters } from '@runnel/client';
import { runStates } from '@runnel/core';
import { type Command, InvalidArgumentError, Option } from 'commander';
import { z } from 'zod';

/** Options that say which runs are wanted. */
export const runFilterOptions = {
  state: z.enum(runStates).optional(),
  tag: z.array(z.string()).optional(),
  name: z.string().optional(),
  text: z.string().optional(),
  since: z.date().optional(),
  until: z.date().optional(),
  endedSince: z.date().optional(),
  endedUntil: z.date().optional(),
};

type FilterValues = z.infer<z.ZodObject<typeof runFilterOptions>>;

/** The same as options of a command. */
export function addRunFilters(command: Command): Command {
  return command
    .addOption(new Option('--state <state>', 'only runs in this state').choices(runStates))
    .option('--tag <tag>', 'with this tag: team=data, team=da*, team; repeat for more', addTag)
    .option('--name <name>', 'of this name')
    .option('--text <text>', 'with this in their name')
    .option('--since <time>', 'created at or after: 2030-01-31, 2030-01-31T08:00Z', parseTime)
    .option('--until <time>', 'created at or before', parseTime)
    .option('--ended-since <time>', 'ended at or after', parseTime)
    .option('--ended-until <time>', 'ended at or before', parseTime);
}

/** What the client asks for; what was not given is left out. */
export function toFilters({ tag, ...rest }: FilterValues): RunFilters {
  const given = Object.entries({ ...rest, tags: tag }).filter(([, value]) => value !== undefined);
  return Object.fromEntries(given);
}

/** `team=data` as the API has it. */
function addTag(text: string, tags: readonly string[] = []): readonly string[] {
  if (/^(=|$)/.test(text)) {
    throw new InvalidArgumentError('write a tag such as team=data, team=da* or team.');
  }
  return [...tags, text.replace('=', ':')];
}

function parseTime(text: string): Date {
  const time = new Date(text);
  if (!Number.isNaN(time.getTime())) return time;
  throw new InvalidArgumentError('write a time such as 2030-01-31 or 2030-01-31T08:00:00Z.');
}
