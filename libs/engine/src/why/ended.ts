import { explainBlame } from './blame.ts';
import { explainFailedTasks } from './failed-tasks.ts';
import { explainFailure } from './failure.ts';
import type { Look } from './look.ts';
import { findCancel } from './parts.ts';
import { atTime, byWhom, type Reason } from './reason.ts';

/** Why a task ended as it did, down to the first cause. */
export async function explainEnd(look: Look): Promise<readonly Reason[]> {
  switch (look.state) {
    case 'succeeded':
      return [explainSuccess(look)];
    case 'failed':
      return [explainFailure(look, look.detail)];
    case 'cancelled':
      return await explainCancelled(look);
    default:
      return await explainBlame(look);
  }
}

function explainSuccess({ detail: known, info }: Look): Reason {
  const { last, attempt } = known;
  const tries = attempt > 1 ? ` after ${attempt - 1} that failed` : '';
  const detail = `attempt ${Math.max(1, attempt)} succeeded${tries}`;
  if (last === null) return { code: 'succeeded', detail };
  return {
    code: 'succeeded',
    detail,
    since: info.facts.createdAt + last.startMs + last.durationMs,
  };
}

async function explainCancelled(look: Look): Promise<readonly Reason[]> {
  const { halt, haltedBy, haltedAt } = look.moment.meta;
  const own = await findCancel(look);
  if (own !== null) {
    const detail = `it was cancelled${byWhom(own.by)} at ${new Date(own.at).toISOString()}`;
    return [{ code: 'cancelled', detail, since: own.at }];
  }
  if (halt !== 'stop') {
    const what = `the run was cancelled${byWhom(haltedBy)}${atTime(haltedAt)}`;
    return [{ code: 'cancelled', detail: halt === 'cancel' ? what : 'its attempt was cancelled' }];
  }
  const detail = 'a task failed, and the run stops on failure';
  return [{ code: 'stopped', detail }, ...(await explainFailedTasks(look))];
}
