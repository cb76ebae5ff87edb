import { plural } from '@runnel/core';
import type { RunInfo } from '@runnel/store';
import type { RunGlance } from './look.ts';
import { byWhom, type Reason } from './reason.ts';

/** What holds up every task of a run, whatever each of them waits for. */
export function explainHolds({ moment, info }: RunGlance): readonly Reason[] {
  const { meta, submittingAt } = moment;
  if (meta['state'] === 'created') return [created(info, submittingAt)];
  const left = moment.deliveries.reduce(
    (sum, { open }) => sum + open.filter((isOpen) => isOpen).length,
    0,
  );
  if (meta['halt'] === 'cancel') {
    const detail = `the run is being cancelled${byWhom(meta['haltedBy'])}; ${plural(left, 'task')} that had started must end first`;
    return [{ code: 'cancelling', detail, count: left }];
  }
  if (meta['halt'] === 'stop') {
    const detail = `a task failed, and the run stops on failure; ${plural(left, 'task')} that had started must end first`;
    return [{ code: 'stopping', detail, count: left }];
  }
  const holds: Reason[] = [];
  if (meta['editing'] !== undefined) holds.push(editing);
  if (Number(meta['retry'] ?? 0) > 0) holds.push(retrying(meta['retriedBy']));
  if (meta['state'] === 'running' && meta['pausedAt'] !== undefined) {
    holds.push(paused(info.facts.handle.id, Number(meta['pausedAt']), meta['pausedBy']));
  }
  return holds;
}

const editing: Reason = {
  code: 'editing',
  detail: 'the run is getting another spec; nothing of it starts before it has it',
};

function retrying(by: string | undefined): Reason {
  const detail = `tasks are being brought back${byWhom(by)} page by page; none of them starts before all are`;
  return { code: 'retrying', detail };
}

function created({ facts }: RunInfo, expiresAt: number | null): Reason {
  return {
    code: 'created',
    detail: 'the run was created and not started',
    remedy: `start it: POST /api/v1/runs/${facts.handle.id}/submit`,
    since: facts.createdAt,
    ...(expiresAt === null ? {} : { until: expiresAt }),
  };
}

function paused(run: string, since: number, by: string | undefined): Reason {
  return {
    code: 'paused',
    detail: `the run is paused${byWhom(by)}: what runs goes on, nothing more starts`,
    remedy: `let it go on: runnel resume ${run}`,
    since,
  };
}
