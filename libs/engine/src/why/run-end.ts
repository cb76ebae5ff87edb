import { type RunInfo, type RunSummary, readMoment } from '@runnel/store';
import { explainFailedTasks } from './failed-tasks.ts';
import type { WhyContext } from './look.ts';
import { plural, type Reason } from './reason.ts';

/** Why a run ended as it did. */
export async function explainRunEnd(
  context: WhyContext,
  info: RunInfo,
  run: RunSummary,
): Promise<readonly Reason[]> {
  const { counts, taskCount, endedAt } = run;
  const since = endedAt === null ? {} : { since: endedAt };
  if (run.state === 'succeeded') {
    const allowed = counts.failed === 0 ? '' : ` (the failure of ${counts.failed} was allowed)`;
    const detail = `${counts.succeeded} of ${plural(taskCount, 'task')} succeeded${allowed}`;
    return [{ code: 'succeeded', detail, ...since }];
  }
  if (run.state === 'cancelled') {
    const detail = `it was cancelled; ${plural(counts.cancelled, 'task')} had not ended before`;
    return [{ code: 'cancelled', detail, count: counts.cancelled, ...since }];
  }
  const moment = await readMoment(context.redis, info.facts.handle);
  const failed = await explainFailedTasks({ context, info, moment, now: context.now() });
  return [...failed, ...explainRest(run)];
}

/** What the failures led to. */
function explainRest({ counts, halt }: RunSummary): readonly Reason[] {
  const reasons: Reason[] = [];
  const upstream = counts['upstream-failed'];
  if (upstream > 0) {
    const detail = `${plural(upstream, 'task')} did not run because one that they need failed`;
    reasons.push({ code: 'upstream-failed', detail, count: upstream });
  }
  if (halt === 'stop' && counts.cancelled > 0) {
    const detail = `${plural(counts.cancelled, 'task')} did not run because the run stops on failure`;
    reasons.push({ code: 'stopped', detail, count: counts.cancelled });
  }
  return reasons;
}
