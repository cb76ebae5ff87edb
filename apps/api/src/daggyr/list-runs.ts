import { listAllRuns, listNumberedRuns } from '@runnel/store';
import type { Request, Response } from 'express';
import type { ApiContext } from '../context.ts';
import { type DaggyrSummary, describeRun } from './describe-run.ts';
import { giveNumbers } from './numbered-run.ts';
import { type RunFilter, readFilter } from './read-filter.ts';
import { joinList, sendStream } from './send-stream.ts';

const runsPerPage = 100;

/**
 * Every run that matches, by number, sent while they are read: all that are in Redis, and of those in the archive
 * the ones that have a number.
 */
export async function sendRuns(
  context: ApiContext,
  request: Request,
  response: Response,
): Promise<void> {
  const filter = readFilter(request.query);
  const live = await listAllRuns(context.redis, context.settings.namespace);
  await giveNumbers(
    context,
    live.map(({ id }) => id),
  );
  await sendStream(response, joinList(pages(context, filter)));
}

async function* pages(
  context: ApiContext,
  filter: RunFilter,
): AsyncGenerator<readonly DaggyrSummary[]> {
  const { redis, settings } = context;
  let from = 0;
  for (;;) {
    const page = await listNumberedRuns(redis, settings.namespace, from, runsPerPage);
    const last = page.at(-1);
    if (last === undefined) return;
    from = last.number + 1;
    const numbers = new Map(page.map(({ id, number }) => [id, number]));
    const runs = await context.runs.readMany([...numbers.keys()]);
    const described = await Promise.all(
      runs.map((run) => describeRun(context, run, numbers.get(run.facts.handle.id) ?? 0)),
    );
    yield described.filter((summary) => matches(summary, filter));
  }
}

function matches(
  { state, tags, start_time }: DaggyrSummary,
  { tags: wanted, states, startTime, endTime }: RunFilter,
): boolean {
  if (states !== null && !states.has(state)) return false;
  const createdAt = Date.parse(start_time);
  if (createdAt < (startTime ?? 0) || createdAt > (endTime ?? Infinity)) return false;
  return Object.entries(wanted).every(([name, value]) => tags[name] === value);
}
