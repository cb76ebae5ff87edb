import { edgeId, plural } from '@runnel/core';
import { finalStateOf, groupAt, type NodePages, readGroupIndex, readWordsOf } from '@runnel/store';
import { type Look, nameTasks, pagesOf } from './look.ts';
import { listClasses, mostNamed, type Reason } from './reason.ts';

/** Barriers that are looked through for one task. */
const mostBarriers = 32;
/** Tasks behind barriers that are gathered. */
const mostGathered = 262_144;

/** The tasks that a task waits for; a barrier in between stands for those behind it. */
export async function explainWaiting(look: Look): Promise<readonly Reason[]> {
  const { task, info, context, moment } = look;
  const [word = 0] = await readWordsOf(context.redis, info.facts.handle, [task.number]);
  const left = word & 0xff_ff_ff;
  const pages = pagesOf(look);
  const { edges, total } = await pages.parentsOf(task.number);
  const open = await findOpen(look, pages);
  if (open.tasks.length === 0 && open.isWhole) return [backlog(left, moment.backlog)];

  const classes = await countClasses(look, open.tasks);
  const others = open.throughBarriers ? 'tasks behind its parents' : 'parents';
  const rule = ruleOf(edges[0] ?? 0);
  const many = open.isWhole ? `${open.tasks.length}` : `at least ${open.tasks.length}`;
  const of = open.throughBarriers ? '' : ` of ${total}`;
  return [
    {
      code: 'parents',
      detail: `${many}${of} ${others} have not ended (${listClasses(classes)})${rule}`,
      count: open.isWhole ? open.tasks.length : left,
      tasks: await nameTasks(look, open.tasks.slice(0, mostNamed)),
    },
  ];
}

function backlog(left: number, entries: number): Reason {
  const waits = plural(entries, 'entry waits', 'entries wait');
  const detail =
    left === 0
      ? 'all its parents have ended just now'
      : `its parents have ended, and ${left} of their ends are still on the way to it (${waits} in the backlog)`;
  return { code: 'backlog', detail };
}

/** Rules as an edge has them: with some of them not every parent must end. */
function ruleOf(edge: number): string {
  const rule = edge >>> 26;
  if (rule === 2) return '; it starts with the first that ends as its runIf wants';
  return '';
}

interface Open {
  /** Ascending. */
  readonly tasks: readonly number[];
  readonly throughBarriers: boolean;
  /** False where there are more than were looked at. */
  readonly isWhole: boolean;
}

/** Tasks that have not ended among the parents, and behind barriers among them. */
async function findOpen({ info, task, context }: Look, pages: NodePages): Promise<Open> {
  const [ranges, groups] = await Promise.all([
    info.ranges(),
    readGroupIndex(context.redis, info.facts.handle),
  ]);
  const isBarrier = (node: number): boolean => groups[groupAt(ranges, node)]?.isBarrier === true;
  const tasks = new Set<number>();
  const through = new Set([task.number]);
  let isWhole = true;
  // A set is gone through in order, with what is added meanwhile.
  for (const node of through) {
    if (through.size > mostBarriers || tasks.size > mostGathered)
      return finish(tasks, through, false);
    const { edges, total } = await pages.parentsOf(node);
    if (edges.length < total) isWhole = false;
    const parents = [...edges].map(edgeId);
    const codes = await pages.statesOf(parents);
    const open = parents.filter((_, index) => finalStateOf(codes[index] ?? 0) === undefined);
    for (const parent of open) (isBarrier(parent) ? through : tasks).add(parent);
  }
  return finish(tasks, through, isWhole);
}

function finish(tasks: ReadonlySet<number>, through: ReadonlySet<number>, isWhole: boolean): Open {
  const ascending = [...tasks].sort((a, b) => a - b);
  return { tasks: ascending, throughBarriers: through.size > 1, isWhole };
}

async function countClasses(
  { info }: Look,
  tasks: readonly number[],
): Promise<ReadonlyMap<string, number>> {
  const ranges = await info.ranges();
  const byGroup = new Map<number, number>();
  for (const task of tasks) {
    const group = groupAt(ranges, task);
    byGroup.set(group, (byGroup.get(group) ?? 0) + 1);
  }
  const classes = new Map<string, number>();
  for (const [number, count] of byGroup) {
    const { class: name } = await info.group(number);
    classes.set(name, (classes.get(name) ?? 0) + count);
  }
  return classes;
}
