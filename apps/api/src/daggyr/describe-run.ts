import { countTaskStates, type DaggyrState, toRunState } from '@runnel/daggyr';
import { listableStates, type RunSummary, readLastEventTime } from '@runnel/store';
import type { ApiContext } from '../context.ts';
import { toIso } from '../run-answer.ts';

/** A moment at which something came into a state. */
export interface StateChange {
  readonly datetime: string;
  readonly state: DaggyrState;
}

/** A run as DaggyR lists it. */
export interface DaggyrSummary {
  readonly run_id: number;
  readonly tags: Readonly<Record<string, string>>;
  readonly state: DaggyrState;
  readonly start_time: string;
  readonly last_update_time: string;
  readonly task_states: Readonly<Partial<Record<DaggyrState, number>>>;
}

export async function describeRun(
  context: ApiContext,
  run: RunSummary,
  number: number,
): Promise<DaggyrSummary> {
  return {
    run_id: number,
    tags: run.facts.tags,
    state: stateOf(run),
    start_time: toIso(run.facts.createdAt),
    last_update_time: toIso(await lastUpdate(context, run)),
    task_states: countTaskStates(run.counts, listableStates),
  };
}

export function stateOf(run: RunSummary): DaggyrState {
  return toRunState(run.state, run.halt === 'cancel' && run.endedAt === null);
}

async function lastUpdate(context: ApiContext, run: RunSummary): Promise<number> {
  if (run.endedAt !== null) return run.endedAt;
  const { createdAt, handle } = run.facts;
  return (await readLastEventTime(context.redis, handle)) ?? run.startedAt ?? createdAt;
}

/** The states that a run has come through; retries between them are not told. */
export async function changesOf(
  context: ApiContext,
  run: RunSummary,
): Promise<readonly StateChange[]> {
  const { createdAt } = run.facts;
  const changes: StateChange[] = [{ datetime: toIso(createdAt), state: 'Queued' }];
  if (run.startedAt !== null) {
    changes.push({ datetime: toIso(run.startedAt), state: 'Running' });
  }
  const state = stateOf(run);
  if (state !== 'Queued' && state !== 'Running') {
    changes.push({ datetime: toIso(await lastUpdate(context, run)), state });
  }
  return changes;
}
