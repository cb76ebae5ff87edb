import type { Archive, ArchivedRun } from '@runnel/archive';
import {
  type LiveRuns,
  newestFirst,
  type RunPosition,
  type RunQuery,
  type RunSummary,
  summaryOfRecord,
} from '@runnel/store';

export interface SearchContext {
  readonly live: LiveRuns;
  readonly archive: Archive | null;
  readonly namespace: string;
}

/** A page; it may be short while there is a `next`, where the archive was searched for a while. */
export interface SearchPage {
  readonly runs: readonly RunSummary[];
  readonly next: RunPosition | null;
}

/** A search goes on so long for a page that is not full. */
const budgetMs = 12;

/** Runs that match, newest first, from Redis and from the archive. */
export async function searchRuns(context: SearchContext, query: RunQuery): Promise<SearchPage> {
  const until = performance.now() + budgetMs;
  const runs: RunSummary[] = [];
  let after = query.after;
  for (;;) {
    const limit = query.limit - runs.length;
    const page = await searchOnce(context, { ...query, after, limit });
    runs.push(...page.runs);
    const isOver = page.next === null || runs.length >= query.limit;
    if (isOver || performance.now() > until) return { runs, next: page.next };
    after = page.next ?? undefined;
  }
}

/**
 * Redis first: a run that is moved in between is then found twice, never missed. One that is in both is
 * shown as it is in Redis: it was taken back, or is being moved.
 */
async function searchOnce(context: SearchContext, query: RunQuery): Promise<SearchPage> {
  const { live, archive, namespace } = context;
  const here = await live.find(query);
  if (archive === null) return here;
  // What is older than all of a full page is of the next one.
  const since = Math.max(query.since ?? 0, here.next?.createdAt ?? 0);
  const there = await archive.find(asArchiveQuery({ ...query, ...(since > 0 ? { since } : {}) }));
  const isHere = new Set(here.runs.map((run) => run.facts.handle.id));
  const unseen = there.runs.filter(({ id }) => !isHere.has(id));
  const alsoLive = await live.findLive(unseen.map(({ id }) => id));
  const changed = await live.readMatching([...alsoLive], query);
  const archived = unseen
    .filter(({ id }) => !alsoLive.has(id))
    .flatMap((run) => summaryOf(namespace, run));
  const found = [...here.runs, ...changed, ...archived].sort((a, b) =>
    newestFirst(positionOf(a), positionOf(b)),
  );
  return cut(found, query.limit, [here.next, there.next]);
}

function asArchiveQuery({ limit, ...query }: RunQuery): Parameters<Archive['find']>[0] {
  const given = Object.entries(query).filter(([, value]) => value !== undefined);
  return { ...Object.fromEntries(given), limit };
}

function summaryOf(namespace: string, { id, record }: ArchivedRun): readonly RunSummary[] {
  const summary = summaryOfRecord(namespace, id, record);
  return summary === null ? [] : [summary];
}

/** What both sides know to be whole, up to the limit. */
function cut(
  found: readonly RunSummary[],
  limit: number,
  ends: readonly (RunPosition | null)[],
): SearchPage {
  // Behind the end of a page there may be runs between those of the other.
  const [end] = ends.filter((one) => one !== null).sort(newestFirst);
  const whole =
    end === undefined ? found : found.filter((run) => newestFirst(positionOf(run), end) <= 0);
  const runs = whole.slice(0, limit);
  const last = runs.at(-1);
  if (last !== undefined && runs.length < whole.length) return { runs, next: positionOf(last) };
  return { runs, next: end ?? null };
}

function positionOf({ facts }: RunSummary): RunPosition {
  return { createdAt: facts.createdAt, id: facts.handle.id };
}
