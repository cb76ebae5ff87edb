import type { RunGlance } from './look.ts';
import { plural, type Reason } from './reason.ts';

/** What holds up every task of a run, whatever each of them waits for. */
export function explainHolds({ moment, info }: RunGlance): readonly Reason[] {
  const { meta, submittingAt } = moment;
  if (meta['state'] === 'created') return [created(info.facts.createdAt, submittingAt)];
  const left = moment.deliveries.reduce(
    (sum, { open }) => sum + open.filter((isOpen) => isOpen).length,
    0,
  );
  if (meta['halt'] === 'cancel') {
    const detail = `the run is being cancelled; ${plural(left, 'task')} that had started must end first`;
    return [{ code: 'cancelling', detail, count: left }];
  }
  if (meta['halt'] === 'stop') {
    const detail = `a task failed, and the run stops on failure; ${plural(left, 'task')} that had started must end first`;
    return [{ code: 'stopping', detail, count: left }];
  }
  const holds: Reason[] = [];
  if (Number(meta['retry'] ?? 0) > 0) holds.push(retrying);
  if (meta['state'] === 'running' && meta['pausedAt'] !== undefined) {
    holds.push(paused(Number(meta['pausedAt'])));
  }
  return holds;
}

const retrying: Reason = {
  code: 'retrying',
  detail: 'tasks are being brought back page by page; none of them starts before all are',
};

function created(since: number, expiresAt: number | null): Reason {
  return {
    code: 'created',
    detail: 'the run was created and not started',
    remedy: 'start it: POST …/submit',
    since,
    ...(expiresAt === null ? {} : { until: expiresAt }),
  };
}

function paused(since: number): Reason {
  return {
    code: 'paused',
    detail: 'the run is paused: what runs goes on, nothing more starts',
    remedy: 'let it go on: POST …/resume',
    since,
  };
}
