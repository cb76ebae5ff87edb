import type { RunInfo, TaskDetail } from '@runnel/store';
import type { Reason } from './reason.ts';
import { describeTry } from './tries.ts';

/** The last attempt of a failed task. */
export function explainFailure({ info }: { readonly info: RunInfo }, known: TaskDetail): Reason {
  const { task, attempt, failures, last, base } = known;
  const failure = failures.at(-1);
  const isPoison = failure?.reason === 'poison';
  const end = last === null ? {} : { since: info.facts.createdAt + last.startMs + last.durationMs };
  const number = failure?.attempt ?? Math.max(1, attempt);
  const tries = ` (${describeTry(number, task.group.retries.limit, base)})`;
  const what = failure === undefined ? 'its last attempt failed' : describeAttempt(failure);
  return {
    code: isPoison ? 'poison' : 'failed',
    detail: `${what}${tries}`,
    remedy: isPoison
      ? 'see what it does to its workers (memory?); RUNNEL_MAX_DEATHS allows more deaths'
      : `the end of its log: runnel logs ${info.facts.handle.id} ${task.id} --attempt ${number}`,
    ...end,
  };
}

/** `attempt 2 failed: exit code 3: no such file`. */
export function describeAttempt(failure: TaskDetail['failures'][number]): string {
  const { attempt, reason, message, exitCode, signal, worker } = failure;
  const end = exitCode === undefined ? (signal ?? reason) : `${reason}, code ${exitCode}`;
  const where = worker === null ? '' : ` on worker ${worker}`;
  const [line = ''] = message.trim().split('\n');
  return `attempt ${attempt} failed${where}: ${end}${line === '' ? '' : `: ${line}`}`;
}
