import { type RunPlaces, type RunSet, runSets } from '@runnel/store';
import type { Findings } from './finding.ts';

/** The sets of its shard that a run belongs to, by its state. */
function setsOf(state: string | null): readonly RunSet[] {
  switch (state) {
    case null:
      return [];
    case 'submitting':
      return ['submitting'];
    case 'created':
      return ['runs', 'submitting'];
    case 'running':
      return ['runs', 'active'];
    default:
      return ['runs', 'ended'];
  }
}

/** A run in the sets of its shard. */
export function checkPlaces(run: RunPlaces, shard: number, findings: Findings): void {
  const wanted = setsOf(run.state);
  const missing = wanted.filter((set) => !run.sets.includes(set));
  const extra = runSets.filter((set) => run.sets.includes(set) && !wanted.includes(set));
  if (missing.length + extra.length === 0) return;
  const parts = [
    run.state === null ? 'there is no such run' : `it is ${run.state}`,
    ...missing.map((set) => `not in ${set}`),
    ...extra.map((set) => `in ${set}`),
  ];
  findings.add('run-misplaced', parts.join(', '), { run: run.id, shard, mend: { by: 'sets' } });
}
