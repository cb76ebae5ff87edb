import { randomBytes } from 'node:crypto';
import type { AttemptResult, FinalTaskState, Plan, TaskInput } from '@runnel/core';
import type { GeneratorTools } from '@runnel/engine';
import { expandSpec } from '@runnel/spec';
import {
  finalStateOf,
  RunInfo,
  readGenerated,
  readRunFacts,
  readStateBytes,
  runHandle,
} from '@runnel/store';
import type { Redis } from 'ioredis';
import { entriesOf, type GrowingGraph, nameOf, nodeOf, setOf, topLevel } from '../growing-graph.ts';
import { hasOutput, names, namespace, runId, type Scene } from './scene.ts';

/** Where scripts read the time of the case; the time of Redis goes on by itself. */
export const clockKey = 'virtual-now';
/** Of the generated set that was replaced. */
const retired = 11;
/** Deflated, more than one page has room for. */
const largeBytes = 300_000;

/** A run as it stands, with the sets that joined it. */
export interface Grown {
  /** By id, of all tasks that are none of a replaced set: where it is, and its end if it has one. */
  readonly tasks: ReadonlyMap<string, GrownTask>;
  /** Of each generator: the attempt whose set is in the run. */
  readonly attempts: ReadonlyMap<string, number>;
}

export interface GrownTask {
  readonly number: number;
  readonly state: FinalTaskState | undefined;
}

/** A run whose tasks generate tasks: what they give, and what the run must come to. */
export class Growth {
  readonly graph: GrowingGraph;
  readonly plan: Plan;
  readonly tools: GeneratorTools;
  readonly #redis: Redis;
  readonly #isLarge: boolean;
  #info: RunInfo | null = null;

  constructor(redis: Redis, scene: Scene, graph: GrowingGraph) {
    this.graph = graph;
    this.#redis = redis;
    this.#isLarge = scene.isLargeSet;
    this.tools = toolsOf(scene);
    const spec = { defaults: { executor: 'noop' }, tasks: entriesOf(topLevel(graph)) };
    const { plan } = expandSpec(spec, { ...this.tools.options, source: null });
    this.plan = { ...plan, parallelism: scene.parallelism };
  }

  /** The place of the first generator. */
  get generator(): number {
    return Math.max(
      0,
      this.graph.findIndex(({ set }) => set !== null),
    );
  }

  /** Its class. */
  get changedClass(): string {
    return nameOf(topLevel(this.graph), this.generator);
  }

  resultOf({ task }: TaskInput<unknown>): AttemptResult {
    const node = nodeOf(this.graph, task.id);
    const isFailed =
      node === undefined || node.end === 'failed' || (node.isRetried && task.attempt === 1);
    if (isFailed) return { outcome: 'failed', reason: 'exit', message: '', exitCode: 1 };
    if (node.set !== null) {
      const set = setOf(this.graph, task.id, task.attempt);
      return { outcome: 'succeeded', tasks: this.#compose(set) };
    }
    return handsOn(task.id)
      ? { outcome: 'succeeded', output: { attempt: task.attempt } }
      : { outcome: 'succeeded' };
  }

  #compose(set: readonly object[]): string {
    const [first, ...rest] = set;
    if (!this.#isLarge || first === undefined) return JSON.stringify(set);
    const large = { ...first, templated: false, details: { text: readNoise() } };
    return JSON.stringify([large, ...rest]);
  }

  async read(): Promise<Grown> {
    const redis = this.#redis;
    const shape = Number((await redis.hget(names.meta, 'shape')) ?? 0);
    if (this.#info?.facts.shape !== shape) {
      this.#info = new RunInfo(redis, await readRunFacts(redis, namespace, runId));
    }
    const info = this.#info;
    const [states, generated] = await Promise.all([
      readStateBytes(redis, info),
      readGenerated(redis, runHandle(namespace, runId)),
    ]);
    const tasks = new Map<string, GrownTask>();
    const attempts = new Map<string, number>();
    for (let number = 0; number < info.facts.nodeCount; number++) {
      const { id, group } = await info.task(number);
      const code = states[number] ?? 0;
      if (group.kind === 'barrier' || code === retired) continue;
      // Of a set that is being replaced both may be there: the later one counts.
      tasks.set(id, { number, state: finalStateOf(code) });
      const set = generated.get(number);
      if (set !== undefined) attempts.set(id, set.attempt);
    }
    return { tasks, attempts };
  }
}

/** By its id: what is reused when a generator runs again gets another number. */
export function handsOn(id: string): boolean {
  return hasOutput(Buffer.from(id).reduce((sum, byte) => sum + byte, 0));
}

function toolsOf({ maxBatch }: Scene): GeneratorTools {
  return {
    options: {
      limits: { maxTasks: 1_000, maxProduct: 1_000 },
      executors: { names: () => ['noop'], check: () => [] },
      pools: ['default'],
    },
    routeOf: ({ pool }) => ({ queue: pool, maxBatch, isSideBySide: false }),
  };
}

let noise: string | undefined;

/** Text that does not deflate to less than a page. */
function readNoise(): string {
  noise ??= randomBytes(largeBytes).toString('base64');
  return noise;
}
