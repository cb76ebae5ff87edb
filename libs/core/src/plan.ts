import type { Json } from './json.ts';
import type { Webhook } from './webhooks/webhook.ts';

/** When a task runs, seen from its parents' ends. */
export const runIfs = [
  'all-succeeded',
  'none-failed',
  'any-succeeded',
  'any-failed',
  'all-done',
] as const;
export type RunIf = (typeof runIfs)[number];

/** What a parent must have come to for its edge to hold. */
export const ons = ['succeeded', 'failed', 'done'] as const;
export type On = (typeof ons)[number];

/**
 * `on` in an edge whose child waits for the parent's end and takes nothing from it: neither success nor
 * failure there counts. Runnel's own edges have it; a spec can't name it.
 */
export const silentOn = 3;

/** In which form a generator's output says which tasks join the run. */
export const generatorDialects = ['native', 'daggyr'] as const;
export type GeneratorDialect = (typeof generatorDialects)[number];

/** How often, and after which delay, a failed attempt is followed by another. */
export interface RetryPolicy {
  /** More tries after the first: 0 to 254. */
  readonly limit: number;
  readonly backoffMs: number;
  readonly factor: number;
  readonly maxDelayMs: number;
  /** Where given: only these exit codes are retried. */
  readonly onExitCodes: readonly number[] | null;
}

/** How the outputs of one parent class reach a task: one object, or an array in id order. */
export interface InputShape {
  readonly class: string;
  readonly single: boolean;
}

/** All tasks of a run with equal class, executor, pool and policies. */
export interface Group {
  readonly class: string;
  readonly kind: 'task' | 'barrier';
  readonly executor: string;
  readonly pool: string;
  /** Higher goes first; 0 by default. */
  readonly priority: number;
  readonly timeoutMs: number | null;
  readonly retries: RetryPolicy;
  readonly successExitCodes: readonly number[];
  readonly allowFailure: boolean;
  readonly resources: Readonly<Record<string, number>>;
  /** What a user changes to have tasks run again when the run is edited; null: nothing was given. */
  readonly version: string | number | null;
  /** Columns of the values in the payload, in order. */
  readonly axes: readonly string[];
  /** False: braces in details are the task's own and nothing is rendered. */
  readonly templated: boolean;
  /** The details template of every task whose payload has none of its own. */
  readonly details: Json;
  readonly inputs: readonly InputShape[];
  /** True where the details name outputs: they must be read before rendering. */
  readonly readsOutputs: boolean;
  /** Where its tasks generate tasks. */
  readonly generator?: GeneratorDialect;
  /** Of generated tasks: what stands before the class and the ids that their generator gave, with its dot. */
  readonly scope?: string;
}

/** What differs between tasks of a group. */
export interface TaskPayload {
  /** Values of the group's axes, in their order. */
  readonly values: readonly Json[];
  /** Only where it is not `class` or `class:AXIS=value,…`. */
  readonly id?: string;
  /** Only where they are not those of the group. */
  readonly details?: Json;
}

/** A run spec, expanded: what the store keeps and workers need. Tasks are integers from 0 in creation order. */
export interface Plan {
  readonly name: string | null;
  readonly tags: Readonly<Record<string, string>>;
  /** Tasks and barriers; ids are 0 … nodeCount − 1, at most `maxNodes`. */
  readonly nodeCount: number;
  /** Barriers are structure: they have an id but are not counted as tasks. */
  readonly barrierCount: number;
  readonly groups: readonly Group[];
  /** Pairs (first id, group number), ascending and without gaps, from id 0. */
  readonly groupRanges: Uint32Array;
  /** CSR: the parents of node i are `parents[parentOffsets[i] … parentOffsets[i+1])`. */
  readonly parentOffsets: Uint32Array;
  /** See packEdge; sorted by id within a node, no id twice. */
  readonly parents: Uint32Array;
  /** Payloads in id order (`{ values: [] }` for barriers), so that a million never are one array. */
  payloads(): Iterable<TaskPayload>;
  /**
   * Where tasks came one by one: their texts as they were sent, deflated, `payloadChunk` of them each
   * (see task-texts.ts). Then `payloads` gives ids alone: details stand in the texts.
   */
  readonly texts: readonly Buffer[] | null;
  readonly onFailure: 'continue' | 'stop';
  /** The most tasks that may be queued or running at once; null: no limit. */
  readonly parallelism: number | null;
  /** Who is told what becomes of the run. Default: nobody. */
  readonly webhooks?: readonly Webhook[];
}

/** Payloads are compressed in chunks of so many tasks: large enough to compress, small to read one. */
export const payloadChunk = 256;

/** Ids have 24 bits. */
export const maxNodes = 1 << 24;

/**
 * Rules as they stand in an edge: `any-succeeded` and `any-failed` differ only in what their edges
 * wait for (`on`), so both are `any`.
 */
export const edgeRules = ['all', 'none-failed', 'any', 'done'] as const;
export type EdgeRule = (typeof edgeRules)[number];

/** 24 bits of id, 2 bits of `on`, 2 bits of the child's rule. */
export function packEdge(id: number, on: On, rule: EdgeRule): number {
  return ((edgeRules.indexOf(rule) << 26) | (ons.indexOf(on) << 24) | id) >>> 0;
}

export function edgeId(edge: number): number {
  return edge & 0xff_ff_ff;
}

/** The packed condition alone: `on` in the low two bits, the rule above. */
export function edgeCondition(edge: number): number {
  return edge >>> 24;
}

/** The rule that a child's `runIf` writes into its edges. */
export function edgeRuleOf(runIf: RunIf): EdgeRule {
  switch (runIf) {
    case 'all-succeeded':
      return 'all';
    case 'none-failed':
      return 'none-failed';
    case 'all-done':
      return 'done';
    default:
      return 'any';
  }
}
