import { cancelRun } from '@runnel/engine';
import type { Request, Response } from 'express';
import { retryAnywhere } from '../archive/retry-anywhere.ts';
import type { ApiContext } from '../context.ts';
import { readBy } from '../read-by.ts';
import { RequestError } from '../request-error.ts';
import { readNumberedRun } from './numbered-run.ts';
import { openRun } from './read-run.ts';

/** Kills a run; one that has ended stays as it is, which was no mistake in DaggyR either. */
export async function cancelNumberedRun(
  context: ApiContext,
  request: Request,
  response: Response,
): Promise<void> {
  const { redis, settings, clock } = context;
  const { run } = await readNumberedRun(context, request);
  const { id } = run.facts.handle;
  await context.fence.run(() =>
    cancelRun(redis, settings.namespace, id, clock.now(), readBy(request)),
  );
  response.status(200).end();
}

/** Brings back what failed or was killed; what is completed stays. A run without such tasks is done. */
export async function retryNumberedRun(
  context: ApiContext,
  request: Request,
  response: Response,
): Promise<void> {
  const { run, info } = await openRun(context, request);
  await retryAnywhere(context, info, { selector: {}, isDryRun: false, by: readBy(request) });
  response.json({ run_id: run.number });
}

/** In DaggyR anybody could end any task with a report of his own. */
export function refuseReport(): void {
  throw new RequestError(
    403,
    'attempts are reported by the workers that made them, each under a token of its own, and by nobody else: ' +
      'let a task do the work, or run a worker where it is done; see docs/migrating-from-daggyr.md',
  );
}
