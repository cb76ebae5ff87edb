import { edgeId } from '@runnel/core';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { describePlan, expand } from './expand.test-kit.ts';

/** The plain meaning of a spec: every task as an object, every edge found by comparing all with all. */
interface Task {
  readonly id: string;
  readonly class: string;
  readonly values: Readonly<Record<string, number>>;
}

interface RawLink {
  readonly from: number;
  readonly form: 'bare' | 'match' | 'id' | 'child' | 'child-match' | 'child-id';
  readonly pick: number;
}

interface RawCase {
  readonly axes: readonly (readonly string[])[];
  readonly links: readonly (readonly RawLink[])[];
  readonly excluded: readonly { readonly X: number; readonly Y: number }[];
}

const sizes = { X: 2, Y: 3 };

function listTasks(raw: RawCase): Task[][] {
  const rows = [...Array(sizes.X).keys()].flatMap((X) =>
    [...Array(sizes.Y).keys()].map((Y) => ({ X, Y })),
  );
  const kept = rows.filter(
    (row) => !raw.excluded.some((rule) => rule.X === row.X && rule.Y === row.Y),
  );
  return raw.axes.map((axes, index) => {
    const tasks = new Map<string, Task>();
    for (const row of kept) {
      const values = Object.fromEntries(
        Object.entries(row).filter(([axis]) => axes.includes(axis)),
      );
      const pairs = Object.entries(values).map(([axis, value]) => `${axis}=${value}`);
      const id = pairs.length === 0 ? `c${index}` : `c${index}:${pairs.join()}`;
      if (!tasks.has(id)) tasks.set(id, { id, class: `c${index}`, values });
    }
    return [...tasks.values()];
  });
}

function sharedAxes(raw: RawCase, a: number, b: number): string[] {
  return (raw.axes[a] ?? []).filter((axis) => raw.axes[b]?.includes(axis));
}

/** The spec as it is written, and the edges that it means as `child<parent`. */
function build(raw: RawCase): { spec: unknown; ids: string[]; edges: Set<string> } {
  const tasks = listTasks(raw);
  const entries = raw.axes.map((axes, index) => ({
    class: `c${index}`,
    executor: 'noop',
    parameters: axes,
    parents: [] as unknown[],
    children: [] as unknown[],
  }));
  const edges = new Set<string>();
  for (const [child, links] of raw.links.entries()) {
    for (const link of links) addLink({ raw, tasks, entries, edges }, child, link);
  }
  const spec = {
    parameters: { X: [0, 1], Y: { from: 0, to: 2 } },
    ...(raw.excluded.length > 0 ? { exclude: raw.excluded } : {}),
    tasks: entries,
  };
  return { spec, ids: tasks.flat().map((task) => task.id), edges };
}

interface Built {
  readonly raw: RawCase;
  readonly tasks: readonly (readonly Task[])[];
  readonly entries: readonly { readonly parents: unknown[]; readonly children: unknown[] }[];
  readonly edges: Set<string>;
}

function addLink(built: Built, child: number, link: RawLink): void {
  if (child === 0) return;
  const { raw, tasks, entries } = built;
  const parent = link.from % child;
  const shared = sharedAxes(raw, parent, child);
  const side = link.form.startsWith('child') ? 'children' : 'parents';
  const [writer, named] = side === 'children' ? [parent, child] : [child, parent];
  const candidates = tasks[named] ?? [];
  const one = link.form.endsWith('id') ? candidates[link.pick % candidates.length] : undefined;
  const matched = link.form.endsWith('match') ? shared : [];
  entries[writer]?.[side].push(writeRef(`c${named}`, one, matched.length > 0));
  addEdges(built, [parent, child], (upper, lower) => {
    if (one !== undefined) return upper === one || lower === one;
    return matched.every((axis) => upper.values[axis] === lower.values[axis]);
  });
}

function writeRef(name: string, one: Task | undefined, isMatch: boolean): unknown {
  if (one !== undefined) return { id: one.id };
  return isMatch ? { class: name, match: true, optional: true } : name;
}

function addEdges(
  { tasks, edges }: Built,
  [parent, child]: readonly [number, number],
  isMeant: (upper: Task, lower: Task) => boolean,
): void {
  for (const upper of tasks[parent] ?? []) {
    for (const lower of tasks[child] ?? []) {
      if (isMeant(upper, lower)) edges.add(`${lower.id}<${upper.id}`);
    }
  }
}

const link = fc.record({
  from: fc.nat(4),
  form: fc.constantFrom<RawLink['form']>('bare', 'match', 'id', 'child', 'child-match', 'child-id'),
  pick: fc.nat(5),
});
const rawCase: fc.Arbitrary<RawCase> = fc
  .array(fc.tuple(fc.subarray(['X', 'Y']), fc.array(link, { maxLength: 3 })), {
    minLength: 1,
    maxLength: 6,
  })
  .chain((entries) =>
    fc.record({
      axes: fc.constant(entries.map(([axes]) => axes)),
      links: fc.constant(entries.map(([, links]) => links)),
      excluded: fc.array(fc.record({ X: fc.nat(1), Y: fc.nat(2) }), { maxLength: 3 }),
    }),
  );

test('edges are those of a naive model', () => {
  fc.assert(
    fc.property(rawCase, (raw) => {
      const model = build(raw);

      const plan = expand(model.spec);

      const { ids } = describePlan(plan);
      const taskCount = plan.nodeCount - plan.barrierCount;
      expect(ids.slice(0, taskCount)).toEqual(model.ids);
      const parentsOf = (node: number): number[] =>
        Array.from(
          plan.parents.subarray(plan.parentOffsets[node], plan.parentOffsets[node + 1]),
          edgeId,
        );
      const edges = new Set<string>();
      for (let node = 0; node < taskCount; node++) {
        const parents = parentsOf(node);
        expect(parents).toEqual([...new Set(parents)].sort((a, b) => a - b));
        for (const parent of parents) {
          const real = parent < taskCount ? [parent] : parentsOf(parent);
          for (const one of real) edges.add(`${ids[node]}<${ids[one]}`);
        }
      }
      expect([...edges].sort()).toEqual([...model.edges].sort());
    }),
    { numRuns: 500 },
  );
});
