import { plural } from '@runnel/core';
import { findFailed, readTask, stateCode } from '@runnel/store';
import { explainFailure } from './failure.ts';
import { nameTasks, type RunGlance } from './look.ts';
import type { Reason } from './reason.ts';

/** Classes whose failures are told with an example. */
const mostClasses = 10;

interface FailedClass {
  readonly name: string;
  readonly count: number;
  readonly groups: readonly number[];
}

/** The failed tasks of a run whose failure is not allowed, class by class, each with its first one. */
export async function explainFailedTasks(glance: RunGlance): Promise<readonly Reason[]> {
  const { context, info } = glance;
  const classes = await countFailed(glance);
  const told = classes.slice(0, mostClasses);
  const wanted = new Set(told.flatMap(({ groups }) => groups));
  const examples = await findFailed(context.redis, info, wanted);
  const reasons = await Promise.all(
    told.map(async ({ name, count, groups }): Promise<Reason> => {
      const found = groups.flatMap((group) => examples.get(group) ?? []);
      const what = `${plural(count, 'task')} of class ${name} failed`;
      if (found.length === 0) return { code: 'failed', detail: what, count };
      const first = Math.min(...found);
      const [named] = await nameTasks(glance, [first]);
      const cause = explainFailure(glance, await readTask(context.redis, info, first));
      return {
        ...cause,
        detail: `${what}, the first: ${named?.id ?? first}: ${cause.detail}`,
        count,
        tasks: named === undefined ? [] : [named],
      };
    }),
  );
  const rest = classes.length - told.length;
  if (rest > 0)
    reasons.push({ code: 'failed', detail: `and ${plural(rest, 'more class', 'more classes')}` });
  return reasons;
}

/** From kept counts, in the order of the spec. */
async function countFailed({ context, info }: RunGlance): Promise<readonly FailedClass[]> {
  const [groups, counts] = await Promise.all([
    info.groups(),
    context.redis.hgetall(info.facts.handle.names.counts),
  ]);
  const classes = new Map<string, { count: number; groups: number[] }>();
  groups.forEach((group, number) => {
    const count = Number(counts[`${number}:${stateCode.failed}`] ?? 0);
    if (count <= 0 || group.allowFailure) return;
    const known = classes.get(group.class) ?? { count: 0, groups: [] };
    classes.set(group.class, { count: known.count + count, groups: [...known.groups, number] });
  });
  return [...classes].map(([name, rest]) => ({ name, ...rest }));
}
