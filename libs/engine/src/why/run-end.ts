import { plural } from '@runnel/core';
import { type RunInfo, type RunSummary, readMoment } from '@runnel/store';
import { explainFailedTasks } from './failed-tasks.ts';
import type { WhyContext } from './look.ts';
import { atTime, byWhom, type Reason } from './reason.ts';

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
  const moment = await readMoment(context.redis, info.facts.handle);
  if (run.state === 'cancelled') {
    const { halt, haltedBy, haltedAt } = moment.meta;
    const who = `it was cancelled${byWhom(haltedBy)}${atTime(haltedAt)}`;
    const tasks = plural(counts.cancelled, 'task');
    const detail =
      halt === 'cancel'
        ? `${who}; ${tasks} had not ended before`
        : `${tasks} of it were cancelled, and no task failed`;
    return [{ code: 'cancelled', detail, count: counts.cancelled, ...since }];
  }
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
