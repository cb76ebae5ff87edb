import type { WireTagCount } from '@runnel/client';
import type { SearchContext } from './search-runs.ts';

type TagContext = Pick<SearchContext, 'live' | 'archive'>;

/** Keys of tags, of runs in Redis and in the archive. A run that is in both is counted twice. */
export async function listTagKeys({ live, archive }: TagContext): Promise<WireTagCount[]> {
  const counts = await live.countTags();
  const here = [...counts].map(([value, values]) => ({
    value,
    runs: [...values.values()].reduce((sum, runs) => sum + runs, 0),
  }));
  return merge(here, (await archive?.listTagKeys()) ?? []);
}

/** Values of a tag that begin so, in order. */
export async function listTagValues(
  { live, archive }: TagContext,
  request: { readonly key: string; readonly prefix: string; readonly limit: number },
): Promise<WireTagCount[]> {
  const counts = await live.countTags();
  const here = [...(counts.get(request.key) ?? [])]
    .filter(([value]) => value.startsWith(request.prefix))
    .map(([value, runs]) => ({ value, runs }));
  return merge(here, (await archive?.listTagValues(request)) ?? []).slice(0, request.limit);
}

function merge(...lists: readonly (readonly WireTagCount[])[]): WireTagCount[] {
  const sums = new Map<string, number>();
  for (const { value, runs } of lists.flat()) sums.set(value, (sums.get(value) ?? 0) + runs);
  const sorted = [...sums].sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0));
  return sorted.map(([value, runs]) => ({ value, runs }));
}
