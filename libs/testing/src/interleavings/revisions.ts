import type { FinalTaskState, Plan } from '@runnel/core';
import { finalStateOf, groupAt, RunInfo, readRunFacts } from '@runnel/store';
import type { Redis } from 'ioredis';
import {
  classOfNode,
  editNodes,
  fatesByName,
  graphOf,
  type NamedNode,
  nameNodes,
  planOfNodes,
} from '../named-graph.ts';
import { type Graph, type GraphNode, planOf } from '../random-graph.ts';
import type { Process } from './process.ts';
import { names, namespace, runId, type Scene } from './scene.ts';

type Fields = Readonly<Record<string, string>>;

/** What must stay as it is of a task that an edit found done. */
export interface ReusedTask {
  readonly number: number;
  readonly attempt: string | undefined;
  readonly output: string | undefined;
}

/** What a number stands for that the run has no more: a barrier without edges. */
const padding: GraphNode = {
  ...{ isBarrier: true, runIf: 'all-succeeded', parents: [], attempts: [] },
  ...{ retries: 0, allowFailure: false },
};

/** The revisions that users give a run, and the one that is in force: what a swap put in place, as a whole. */
export class Revisions {
  /** By number. */
  graph: Graph;
  /** Swaps so far. */
  count = 0;
  /** Which revision is in force; null: the one that was submitted. */
  current: number | null = null;
  reused: readonly ReusedTask[] = [];
  readonly #redis: Redis;
  readonly #scene: Scene;
  readonly #log: string[];
  readonly #fail: (what: string) => void;
  readonly #all: readonly (readonly NamedNode[])[];
  readonly #first: readonly NamedNode[];
  #numbers: ReadonlyMap<string, number>;
  readonly #editors = new Map<Process, number>();

  constructor(
    redis: Redis,
    scene: Scene,
    { log, fail }: { readonly log: string[]; fail(what: string): void },
  ) {
    this.#redis = redis;
    this.#scene = scene;
    this.#log = log;
    this.#fail = fail;
    this.graph = scene.graph;
    this.#first = nameNodes(scene.graph);
    this.#all = isEdited(scene) ? makeRevisions(scene, this.#first) : [];
    this.#numbers = new Map(this.#first.map(({ name }, number) => [name, number]));
  }

  /** The plan of the run, or of the revision that an edit brings. */
  plan(revision: number | null): Plan {
    const scene = this.#scene;
    const overrides = {
      onFailure: scene.stopsOnFailure ? 'stop' : 'continue',
      parallelism: scene.parallelism,
    } as const;
    // Named tasks can be matched; which classes there are is then another matter.
    if (!isEdited(scene)) return planOf(scene.graph, overrides);
    return { ...planOfNodes(this.#nodes(revision)), ...overrides };
  }

  classOf(number: number): string {
    const { isBarrier } = this.graph[number] ?? padding;
    if (isEdited(this.#scene)) return classOfNode(isBarrier);
    const { groups, groupRanges } = this.plan(null);
    return groups[groupAt(groupRanges, number)]?.class ?? '';
  }

  /** Of each process that edits: which revision it brings. */
  expect(process: Process, revision: number): void {
    this.#editors.set(process, revision);
  }

  /** A swap on its way; the store says with its count of revisions whether it came about. */
  async carrySwap(process: Process, send: () => unknown): Promise<unknown> {
    const [revision, states, tries, outputs] = await Promise.all([
      this.#readRevision(),
      this.#redis.getBuffer(names.state),
      this.#redis.hgetall(names.tries),
      this.#redis.hgetall(names.outputs),
    ]);
    const reply = await send();
    if ((await this.#readRevision()) === revision) return reply;
    const brought = this.#editors.get(process);
    this.#log.push(`the run has revision ${brought} now`);
    if (brought === undefined) this.#fail('a revision came that nobody asked for');
    else await this.#adopt(brought, { states: states ?? Buffer.alloc(0), tries, outputs });
    return reply;
  }

  async #readRevision(): Promise<number> {
    return Number((await this.#redis.hget(names.meta, 'revision')) ?? 1);
  }

  async #adopt(
    brought: number,
    was: { readonly states: Buffer; readonly tries: Fields; readonly outputs: Fields },
  ): Promise<void> {
    const after = this.#nodes(brought);
    const stateOf = (name: string): FinalTaskState | null =>
      finalStateOf(was.states[this.#numbers.get(name) ?? -1] ?? 0) ?? null;
    const fates = fatesByName(this.#nodes(this.current), after, stateOf);
    const info = new RunInfo(this.#redis, await readRunFacts(this.#redis, namespace, runId));
    this.#numbers = await numbersOf(info, after);
    if (this.#numbers.size !== after.length) this.#fail('a revision lacks tasks');
    this.graph = byNumber(info.facts.nodeCount, after, this.#numbers);
    this.current = brought;
    this.count++;
    this.reused = [...fates].flatMap(([name, fate]) => {
      const number = this.#numbers.get(name) ?? -1;
      const known = { attempt: was.tries[number], output: was.outputs[number] };
      return fate === 'reused' ? [{ number, ...known }] : [];
    });
  }

  #nodes(revision: number | null): readonly NamedNode[] {
    return revision === null ? this.#first : (this.#all[revision] ?? []);
  }
}

export function isEdited({ changes }: Scene): boolean {
  return changes.includes('edit');
}

/** Each is an edit of the one before. */
function makeRevisions(
  { changes, edits }: Scene,
  first: readonly NamedNode[],
): readonly (readonly NamedNode[])[] {
  let at = 0;
  const draw = (n: number): number =>
    (edits[at++ % Math.max(1, edits.length)] ?? 0) % Math.max(1, n);
  const all: (readonly NamedNode[])[] = [];
  for (const kind of changes) {
    if (kind === 'edit') all.push(editNodes(all.at(-1) ?? first, draw, all.length));
  }
  return all;
}

async function numbersOf(
  info: RunInfo,
  nodes: readonly NamedNode[],
): Promise<ReadonlyMap<string, number>> {
  const wanted = new Set(nodes.map(({ name }) => name));
  const numbers = new Map<string, number>();
  for (let number = 0; number < info.facts.nodeCount; number++) {
    const { id } = await info.task(number);
    if (wanted.has(id)) numbers.set(id, number);
  }
  return numbers;
}

function byNumber(
  count: number,
  nodes: readonly NamedNode[],
  numbers: ReadonlyMap<string, number>,
): Graph {
  const all: GraphNode[] = Array.from({ length: count }, () => padding);
  for (const [place, node] of graphOf(nodes).entries()) {
    const numberOf = (at: number): number => numbers.get(nodes[at]?.name ?? '') ?? -1;
    const parents = node.parents.map(({ id, on }) => ({ id: numberOf(id), on }));
    all[numberOf(place)] = { ...node, parents };
  }
  return all;
}
