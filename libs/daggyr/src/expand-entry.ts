import type { Json } from '@runnel/core';
import type { Edges } from './edges.ts';
import { generatorField } from './generator-field.ts';
import type { Instances } from './instances.ts';
import { type NameTable, tailId } from './name-table.ts';
import { toTaskId } from './names.ts';
import type { NativeEntry, Ref } from './native-entry.ts';
import type { PlannedEntry } from './plan-entries.ts';
import { combinations, type Values } from './substitution.ts';

/** What entries are expanded with. */
export interface Expander {
  readonly names: NameTable;
  readonly edges: Edges;
  /** Of a list; null for a map. */
  readonly instances: Instances | null;
}

/** The tasks of an entry, one after the other. */
export function* expandEntry(expander: Expander, entry: PlannedEntry): Generator<NativeEntry> {
  const { names, edges, instances } = expander;
  const edgesOfEntry = edges.of(entry);
  const base = { class: names.classOf(entry), ...workOf(entry) };
  const all = combinations(entry.keys, entry.parameters);
  if (entry.count === 1) {
    const [values = new Map()] = all;
    yield { ...base, id: names.idOf(entry), ...toEdges(edgesOfEntry), ...detailsOf(entry, values) };
  } else if (instances === null) yield* expandInMap(entry, base, { ...edgesOfEntry, all });
  else {
    let instance = instances.firstOf(entry);
    for (const values of all) {
      const id = toTaskId(`${entry.source.name}.${instance++}`);
      yield { ...base, id, ...toEdges(edgesOfEntry), ...detailsOf(entry, values) };
    }
  }
}

/** A head, the tasks that do the work, and a tail that others wait for. */
function* expandInMap(
  entry: PlannedEntry,
  base: Omit<NativeEntry, 'id'>,
  rest: {
    readonly parents: readonly Ref[];
    readonly children: readonly Ref[];
    readonly all: Iterable<Values>;
  },
): Generator<NativeEntry> {
  const { name } = entry.source;
  const head = toTaskId(name);
  const tail = tailId(name);
  const stem = base.class.slice(0, 95);
  yield {
    ...{ class: `${stem}-head`, id: head, executor: 'noop' },
    ...toEdges({ parents: rest.parents, children: [] }),
  };
  const edges = { parents: [{ id: head }], children: [{ id: tail }] };
  for (const values of rest.all) {
    const pairs = [...values].map(([key, value]) => `${key}:${value}`);
    const id = toTaskId(`${name}.${pairs.join('.')}`);
    yield { ...base, id, ...edges, ...detailsOf(entry, values) };
  }
  yield {
    ...{ class: `${stem}-tail`, id: tail, executor: 'noop' },
    ...toEdges({ parents: [], children: rest.children }),
  };
}

/** What is equal in all tasks of an entry. */
function workOf({ source }: PlannedEntry): Omit<NativeEntry, 'class' | 'id'> {
  const { details, retries, isGenerator } = source;
  return {
    ...(retries === 0 ? {} : { retries }),
    ...(details.timeout === null ? {} : { timeout: details.timeout }),
    ...(details.resources === null ? {} : { resources: details.resources }),
    ...(isGenerator ? generatorField : {}),
  };
}

function toEdges(edges: {
  readonly parents: readonly Ref[];
  readonly children: readonly Ref[];
}): Pick<NativeEntry, 'parents' | 'children'> {
  return {
    ...(edges.parents.length === 0 ? {} : { parents: edges.parents }),
    ...(edges.children.length === 0 ? {} : { children: edges.children }),
  };
}

function detailsOf(
  { source, substitution }: PlannedEntry,
  values: Values,
): Pick<NativeEntry, 'details'> {
  const { command, environment } = source.details;
  const fill = (text: string): string => substitution.fillIn(text, values);
  const words = command.map(fill);
  if (environment === null) return { details: { command: words } };
  const variables = Object.entries(environment).map(([name, value]): [string, Json] => [
    name,
    typeof value === 'string' ? fill(value) : value,
  ]);
  return { details: { command: words, environment: Object.fromEntries(variables) } };
}
