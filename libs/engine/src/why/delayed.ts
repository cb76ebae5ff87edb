import { readTimesOf } from '@runnel/store';
import { describeAttempt } from './failure.ts';
import type { Look } from './look.ts';
import type { Reason } from './reason.ts';
import { describeTry } from './tries.ts';

/** A task between two attempts. */
export async function explainDelayed(look: Look): Promise<readonly Reason[]> {
  const { context, info, task, now, detail: known } = look;
  const { namespace, id } = info.facts.handle;
  const [due = null] = await readTimesOf(context.redis, namespace, id, [task.number]);
  const last = known.failures.at(-1);
  const { attempt, base } = known;
  const tries = describeTry(attempt, task.group.retries.limit, base);
  const attempts = base === 0 ? `attempt ${tries}` : `attempt ${attempt}, ${tries},`;
  const before = last === undefined ? '' : `; ${describeAttempt(last)}`;
  if (due === null || Number(due) <= now) {
    const detail = `its delay is over: a listener makes it ready for ${attempts}${before}`;
    const remedy = 'where it stays so, ask the doctor';
    return [{ code: 'due', detail, remedy, ...(due === null ? {} : { since: Number(due) }) }];
  }
  const until = Number(due);
  const detail = `${attempts} starts at ${new Date(until).toISOString()}${before}`;
  return [{ code: 'delayed', detail, until }];
}
