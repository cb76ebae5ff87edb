import { ons, plural } from '@runnel/core';
import { finalStateOf, readTask } from '@runnel/store';
import { explainFailure } from './failure.ts';
import { type Look, nameTasks, pagesOf } from './look.ts';
import { mostNamed, type Reason } from './reason.ts';
import { type Cause, type Walk, walkBack } from './walk-back.ts';

/** First causes that are told in full. */
const mostTold = 3;
/** Tasks of the way to a cause that are named. */
const mostOnWay = 5;

/** Why a task did not run: what is upstream-failed or skipped, down to the first causes. */
export async function explainBlame(look: Look): Promise<readonly Reason[]> {
  const walk = await walkBack(pagesOf(look), look.task.number);
  if (look.state === 'skipped') return [await explainSkip(look, walk)];
  const { causes } = walk;
  const named = await nameTasks(
    look,
    causes.slice(0, mostNamed).map(({ parent }) => parent),
  );
  const [first] = causes;
  const way = first === undefined ? '' : await describeWay(look, first);
  const detail = `${plural(causes.length, 'task')} that it needs failed${listIds(named)}${way}${cutOff(walk)}`;
  const told = await Promise.all(
    causes.slice(0, mostTold).map((cause) => explainCause(look, cause)),
  );
  return [{ code: 'upstream-failed', detail, count: causes.length, tasks: named }, ...told];
}

async function explainCause({ context, info }: Look, { parent }: Cause): Promise<Reason> {
  const known = await readTask(context.redis, info, parent);
  const reason = explainFailure({ info }, known);
  const { id } = known.task;
  return {
    ...reason,
    detail: `${id}: ${reason.detail}`,
    tasks: [{ number: parent, id, state: known.state }],
  };
}

async function explainSkip(look: Look, walk: Walk): Promise<Reason> {
  const { causes } = walk;
  const named = await nameTasks(
    look,
    causes.slice(0, mostNamed).map(({ parent }) => parent),
  );
  const [first] = causes;
  const [name] = named;
  if (first === undefined || name === undefined) {
    const detail = `none of its parents ended as its runIf wants${cutOff(walk)}`;
    return { code: 'skipped', detail };
  }
  const way = await describeWay(look, first);
  const more =
    causes.length > 1
      ? `, and ${plural(causes.length - 1, 'more parent')} did not do as wanted`
      : '';
  const detail = `${wanted(first)} ${name.id}, which ${describeState(first.code)}${way}${more}${cutOff(walk)}`;
  return { code: 'skipped', detail, count: causes.length, tasks: named };
}

function describeState(code: number): string {
  const state = finalStateOf(code);
  return state === 'succeeded' || state === 'failed' ? state : `is ${state}`;
}

/** What the edge wanted, by its rule and its `on`. */
function wanted({ condition }: Cause): string {
  const on = ons[condition & 3] ?? 'succeeded';
  const rule = condition >>> 2;
  if (rule === 0) return `it runs after a parent that ${on === 'done' ? 'ended' : on}:`;
  if (rule === 1) return 'none of its parents succeeded, such as';
  return `none of its parents ${on}, such as`;
}

/** The tasks between, where there are some. */
async function describeWay(look: Look, { path }: Cause): Promise<string> {
  const between = path.slice(1);
  if (between.length === 0) return '';
  const named = await Promise.all(
    between.slice(0, mostOnWay).map(async (number) => await look.info.task(number)),
  );
  const ids = named.filter(({ group }) => group.kind !== 'barrier').map(({ id }) => id);
  if (ids.length === 0) return '';
  const rest = between.length > mostOnWay ? ' …' : '';
  return ` (by way of ${ids.join(', ')}${rest})`;
}

function listIds(named: readonly { readonly id: string }[]): string {
  if (named.length === 0) return '';
  const ids = named.slice(0, mostTold).map(({ id }) => id);
  return `: ${ids.join(', ')}${named.length > mostTold ? ', …' : ''}`;
}

function cutOff({ isWhole, nodes }: Walk): string {
  return isWhole ? '' : `; the search stopped after ${plural(nodes, 'task')}, there may be more`;
}
