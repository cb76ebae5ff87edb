import { findNumberedRun, numberRuns, type RunSummary, readRunNumbers } from '@runnel/store';
import type { Request } from 'express';
import type { ApiContext } from '../context.ts';
import { RequestError } from '../request-error.ts';
import { pathPart } from '../route.ts';

/** A run with the number that DaggyR's clients know it by. */
export interface NumberedRun {
  readonly number: number;
  readonly run: RunSummary;
}

/** The run that the path names by its number, or by its own id. */
export async function readNumberedRun(context: ApiContext, request: Request): Promise<NumberedRun> {
  const { redis, settings } = context;
  const { namespace } = settings;
  const asked = pathPart(request, 'id');
  if (!/^\d{1,15}$/.test(asked)) {
    const run = await context.runs.readHere(asked);
    const [number = 0] = await giveNumbers(context, [run.facts.handle.id]);
    return { number, run };
  }
  const id = await findNumberedRun(redis, namespace, Number(asked));
  if (id === null) {
    throw new RequestError(
      404,
      `no run has the number ${asked}: GET /daggyr/api/v1/runs lists those that there are`,
    );
  }
  return { number: Number(asked), run: await context.runs.readHere(id) };
}

/** The numbers of these runs; those that have none get one, and only then something is written. */
export async function giveNumbers(
  { redis, settings, fence }: Pick<ApiContext, 'redis' | 'settings' | 'fence'>,
  ids: readonly string[],
): Promise<readonly number[]> {
  const { namespace } = settings;
  const known = await readRunNumbers(redis, namespace, ids);
  return known ?? (await fence.run(() => numberRuns(redis, namespace, ids)));
}
