import { finishInTurns, type Plan } from '@runnel/core';
import { type RedisClient, type RunInfo, readStateBytes } from '@runnel/store';
import { countFates, type EditCounts } from './count-fates.ts';
import { tellFates } from './fates.ts';
import { type FateQuery, listFates, type TaskFate } from './list-fates.ts';
import { prepareEdit } from './prepare-edit.ts';

export interface EditRequest {
  readonly plan: Plan;
  readonly source: string | null;
  /** Where given, tasks are listed. */
  readonly list?: FateQuery | undefined;
}

/** What an edit does, or would do. */
export interface EditAnswer extends EditCounts {
  readonly tasks: readonly TaskFate[];
  /** Null where nothing more is to be listed. */
  readonly next: number | null;
}

/** Says what an edit would do with each task, as the run stands now. Nothing is changed. */
export async function previewEdit(
  redis: RedisClient,
  info: RunInfo,
  { plan, source, list }: EditRequest,
): Promise<EditAnswer> {
  const edit = await prepareEdit(redis, info, { plan, source });
  const states = await readStateBytes(redis, info);
  const fates = await finishInTurns(tellFates({ ...edit, states }));
  const page = list === undefined ? noPage : await listFates(edit, fates, list);
  return { ...countFates(edit, fates), ...page };
}

const noPage = { tasks: [], next: null };
