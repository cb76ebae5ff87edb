import { isFinalRunState, NotFoundError, noSuchRun, notEnded } from '@runnel/core';
import { deleteRun, readRuns } from '@runnel/store';
import type { ApiContext } from '../context.ts';

/**
 * Deletes a run that has ended, in Redis and in the archive. It may be on its way from one to the other: who moves
 * it on finds a mark in Redis, and what had moved before goes from the archive here.
 *
 * @throws NotFoundError, ConflictError where it has not ended.
 */
export async function deleteAnywhere(
  context: Pick<ApiContext, 'redis' | 'settings' | 'runs' | 'archive' | 'clock'>,
  id: string,
): Promise<void> {
  const { redis, settings, runs, archive, clock } = context;
  const [live] = await readRuns(redis, settings.namespace, [id]);
  const isHere = live !== undefined && !live.isArchived;
  if (isHere && !isFinalRunState(live.state)) throw notEnded(id, live.state);
  // An older copy goes first: one that stayed would be taken for the run.
  const wasArchived = await runs.remove(id);
  if (!isHere && wasArchived) return;
  const deletedAt = archive === null ? undefined : clock.now();
  const wasHere = await deleteRun(redis, settings.namespace, id, deletedAt).catch(falseWhereGone);
  // Moved since it was looked for there.
  const wasMoved = isHere && (await runs.remove(id));
  if (!wasHere && !wasMoved) throw noSuchRun(id);
}

function falseWhereGone(error: unknown): false {
  if (error instanceof NotFoundError) return false;
  throw error;
}
