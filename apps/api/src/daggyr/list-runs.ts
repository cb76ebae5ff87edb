import { listAllRuns, readRuns } from '@runnel/store';
import type { Request, Response } from 'express';
import type { ApiContext } from '../context.ts';
import { type DaggyrSummary, describeRun } from './describe-run.ts';
import { giveNumbers } from './numbered-run.ts';
import { type RunFilter, readFilter } from './read-filter.ts';
import { joinList, sendStream } from './send-stream.ts';

const runsPerPage = 100;

/** Every run that matches, by number, sent while they are read. */
export async function sendRuns(
  context: ApiContext,
  request: Request,
  response: Response,
): Promise<void> {
  const filter = readFilter(request.query);
  const { redis, settings } = context;
  const runs = await listAllRuns(redis, settings.namespace);
  const numbers = await giveNumbers(
    context,
    runs.map(({ id }) => id),
  );
  const numbered = runs
    .map(({ id, createdAt }, index) => ({ id, createdAt, number: numbers[index] ?? 0 }))
    .filter(({ createdAt }) => createdAt >= (filter.startTime ?? 0))
    .filter(({ createdAt }) => createdAt <= (filter.endTime ?? Infinity))
    .sort((a, b) => a.number - b.number);
  await sendStream(response, joinList(pages(context, numbered, filter)));
}

async function* pages(
  context: ApiContext,
  runs: readonly { readonly id: string; readonly number: number }[],
  filter: RunFilter,
): AsyncGenerator<readonly DaggyrSummary[]> {
  const { redis, settings } = context;
  for (let from = 0; from < runs.length; from += runsPerPage) {
    const page = runs.slice(from, from + runsPerPage);
    const numbers = new Map(page.map(({ id, number }) => [id, number]));
    const read = await readRuns(redis, settings.namespace, [...numbers.keys()]);
    const described = await Promise.all(
      read.map((run) => describeRun(context, run, numbers.get(run.facts.handle.id) ?? 0)),
    );
    yield described.filter((summary) => matches(summary, filter));
  }
}

function matches(summary: DaggyrSummary, { tags, states }: RunFilter): boolean {
  if (states !== null && !states.has(summary.state)) return false;
  return Object.entries(tags).every(([name, value]) => summary.tags[name] === value);
}
