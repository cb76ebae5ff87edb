import { runStates } from '@runnel/core';
import type { RunQuery, TagFilter } from '@runnel/store';
import { z } from 'zod';

const time = z
  .string()
  .pipe(z.iso.datetime({ offset: true, error: 'must be a time such as 2030-01-31T08:00:00Z' }))
  .transform((text) => Date.parse(text))
  .optional()
  .meta({ override: { type: 'string', format: 'date-time' } });

/** As a spec may have. */
const mostTags = 100;

const tags = z
  .union([z.string(), z.array(z.string()).max(mostTags)])
  .transform((given) => (typeof given === 'string' ? [given] : given))
  .refine((given) => given.every((text) => !/^(:|$)/.test(text)), {
    error: 'must be a tag such as team:data, team:da* or team',
  })
  .transform((given) => given.map(readTag))
  .optional()
  .meta({ override: { type: 'array', items: { type: 'string' } } });

/** Fields of a query that say which runs are wanted. */
export const runFilters = {
  tag: tags.describe(
    'A tag that the run has: `team:data`, `team:da*` (begins so), `team` (whatever it says). Repeated: all of them.',
  ),
  name: z.string().optional().describe('The whole name.'),
  text: z.string().min(1).optional().describe('A part of the name, in either case.'),
  state: z.enum(runStates).optional(),
  since: time.describe('Created at or after this time.'),
  until: time.describe('Created at or before this time.'),
  endedSince: time.describe('Ended at or after this time.'),
  endedUntil: time.describe('Ended at or before this time.'),
};

type RunFilters = z.infer<z.ZodObject<typeof runFilters>>;

/** What a search goes by; what was not given is left out. */
export function toRunFilter({ tag, ...rest }: RunFilters): Omit<RunQuery, 'limit' | 'after'> {
  const given = Object.entries({ ...rest, tags: tag }).filter(([, value]) => value !== undefined);
  return Object.fromEntries(given);
}

/** A colon ends the key; a star at the end stands for anything. */
function readTag(text: string): TagFilter {
  const at = text.indexOf(':');
  if (at < 0) return { key: text, value: '', isPrefix: true };
  const value = text.slice(at + 1);
  const isPrefix = value.endsWith('*');
  return { key: text.slice(0, at), value: isPrefix ? value.slice(0, -1) : value, isPrefix };
}
