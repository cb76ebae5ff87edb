import { edgeCondition, edgeId, type Plan, retryDelayMs, type Steps } from '@runnel/core';
import {
  buildChildren,
  type Children,
  edgeFlags,
  finalStateOf,
  stateCode,
  verdictOf,
} from '@runnel/store';
import { drawOf, type Estimates, fitDuration } from './estimates.ts';
import { EventQueue } from './event-queue.ts';
import { groupsOfNodes } from './node-groups.ts';
import { type PathPart, tracePath } from './path.ts';
import { PoolLine, type PoolUse } from './pool-line.ts';
import { tallyEnds } from './tally-ends.ts';

export interface SimulationOptions {
  readonly estimates: Estimates;
  /** The queue of a group, as workers serve them. */
  queueOf(group: Plan['groups'][number]): string;
  /** Tasks of a queue that run at once. */
  slotsOf(queue: string): number;
  readonly seed: number;
  /** Of a run that goes on: the state byte of each node. What runs is taken for just started. */
  readonly states?: Uint8Array;
}

/** What a run would come to. */
export interface Simulation {
  readonly makespanMs: number;
  readonly state: 'succeeded' | 'failed';
  /** By final state; those with none are left out. */
  readonly tasks: Readonly<Record<string, number>>;
  readonly attempts: number;
  readonly pools: readonly PoolUse[];
  /** What the run's end waited for, from its start on: the chain of tasks that released one another. */
  readonly path: readonly PathPart[];
}

/**
 * Plays a run event by event: slots a queue, priorities, parallelism, retries with their delays and the
 * rules of `runIf` are those of the store; what carrying a task around costs is left out (about 1 ms).
 */
export function* simulate(plan: SimulatedPlan, options: SimulationOptions): Steps<Simulation> {
  return yield* new Simulator(plan, options, yield* buildChildren(plan)).run();
}

/** What of a plan a simulation needs; that of a stored run has no more. */
export type SimulatedPlan = Pick<
  Plan,
  'nodeCount' | 'groups' | 'groupRanges' | 'parentOffsets' | 'parents' | 'parallelism' | 'onFailure'
>;

/** Events between two turns of others. */
const eventsPerStep = 4_096;

const none = 0xff_ff_ff_ff;

class Simulator {
  readonly #plan: SimulatedPlan;
  readonly #options: SimulationOptions;
  readonly #nodeGroups: Uint32Array;
  readonly #childOffsets: Uint32Array;
  readonly #children: Uint32Array;
  /** As the store's `waiting`: flags in the top byte, parents that are not final below. */
  readonly #words: Uint32Array;
  readonly #states: Uint8Array;
  readonly #attempts: Uint8Array;
  /** When a task became ready, started its last attempt, and ended. */
  readonly #times: Record<'ready' | 'start' | 'end', Float64Array>;
  /** The parent whose end released a task. */
  readonly #releaser: Uint32Array;
  readonly #lines = new Map<string, PoolLine>();
  readonly #lineOf: readonly PoolLine[];
  readonly #ends = new EventQueue();
  readonly #retries = new EventQueue();
  /** Ends whose children are to be visited. */
  readonly #visits: number[] = [];
  #now = 0;
  #running = 0;
  #made = 0;
  #isStopped = false;
  #last = 0;

  constructor(plan: SimulatedPlan, options: SimulationOptions, links: Children) {
    const { nodeCount, groups, parentOffsets } = plan;
    const { childOffsets, children } = links;
    this.#plan = plan;
    this.#options = options;
    this.#nodeGroups = groupsOfNodes(plan);
    this.#childOffsets = childOffsets;
    this.#children = children;
    this.#words = Uint32Array.from(
      { length: nodeCount },
      (_, node) => (parentOffsets[node + 1] ?? 0) - (parentOffsets[node] ?? 0),
    );
    this.#states = new Uint8Array(nodeCount);
    this.#attempts = new Uint8Array(nodeCount);
    const times = (): Float64Array => new Float64Array(nodeCount);
    this.#times = { ready: times(), start: times(), end: times() };
    this.#releaser = new Uint32Array(nodeCount).fill(none);
    this.#lineOf = groups.map((group) => this.#openLine(options.queueOf(group)));
  }

  *run(): Steps<Simulation> {
    this.#begin();
    for (let events = 1; ; events++) {
      this.#startAll();
      if (this.#ends.length === 0 && this.#retries.length === 0) break;
      if (this.#ends.time <= this.#retries.time) this.#end();
      else this.#retry();
      this.#visitAll();
      if (events % eventsPerStep === 0) yield;
    }
    return this.#describe();
  }

  /** Takes over what has ended, and releases what waits for nothing. */
  #begin(): void {
    const { nodeCount } = this.#plan;
    const { states = new Uint8Array(nodeCount) } = this.#options;
    const isFinal = (node: number): boolean => finalStateOf(states[node] ?? 0) !== undefined;
    for (let node = 0; node < nodeCount; node++) {
      if (isFinal(node)) this.#states[node] = states[node] ?? 0;
    }
    for (let node = 0; node < nodeCount; node++) {
      if (isFinal(node)) this.#count(node);
      // Those that wait for nothing at all; others are released by what they wait for.
      else if (this.#parentsOf(node) === 0) this.#release(node, none);
    }
    this.#visitAll();
  }

  #parentsOf(node: number): number {
    const { parentOffsets } = this.#plan;
    return (parentOffsets[node + 1] ?? 0) - (parentOffsets[node] ?? 0);
  }

  /** Tells the children of an end that had come before. */
  #count(node: number): void {
    const code = this.#states[node] ?? 0;
    const to = this.#childOffsets[node + 1] ?? 0;
    for (let index = this.#childOffsets[node] ?? 0; index < to; index++) {
      const edge = this.#children[index] ?? 0;
      if (this.#states[edgeId(edge)] === 0) this.#tell(edge, code, none);
    }
  }

  #openLine(queue: string): PoolLine {
    const known = this.#lines.get(queue);
    if (known !== undefined || queue === '') return known ?? new PoolLine('', 0);
    const line = new PoolLine(queue, this.#options.slotsOf(queue));
    this.#lines.set(queue, line);
    return line;
  }

  #groupOf(node: number): Plan['groups'][number] {
    const group = this.#plan.groups[this.#nodeGroups[node] ?? 0];
    if (group === undefined) throw new Error(`node ${node} has no group`);
    return group;
  }

  /** All parents have decided that it runs. */
  #release(node: number, releaser: number): void {
    this.#releaser[node] = releaser;
    this.#times.ready[node] = this.#now;
    const group = this.#groupOf(node);
    if (group.kind === 'barrier') this.#finish(node, stateCode.succeeded);
    else this.#lineOf[this.#nodeGroups[node] ?? 0]?.push(node, group.priority);
  }

  #startAll(): void {
    if (this.#isStopped) return;
    const most = this.#plan.parallelism ?? Number.POSITIVE_INFINITY;
    for (const line of this.#lines.values()) {
      while (this.#running < most) {
        const node = line.take(this.#now);
        if (node === undefined) break;
        this.#start(node);
      }
    }
  }

  #start(node: number): void {
    const { estimates, seed } = this.#options;
    const attempt = (this.#attempts[node] ?? 0) + 1;
    const draw = (use: number): number => drawOf(seed, node, attempt, use);
    this.#attempts[node] = attempt;
    this.#made++;
    this.#running++;
    this.#times.start[node] = this.#now;
    const duration = fitDuration(estimates.duration(this.#groupOf(node).class), [draw(0), draw(1)]);
    this.#ends.push(this.#now + duration, node);
  }

  #end(): void {
    this.#now = this.#ends.time;
    const node = this.#ends.pop();
    const group = this.#groupOf(node);
    const attempt = this.#attempts[node] ?? 1;
    this.#lineOf[this.#nodeGroups[node] ?? 0]?.free(this.#now, node);
    this.#running--;
    this.#last = node;
    const { estimates, seed } = this.#options;
    if (drawOf(seed, node, attempt, 2) >= estimates.failureRate(group.class)) {
      this.#finish(node, stateCode.succeeded);
      return;
    }
    if (attempt <= group.retries.limit && !this.#isStopped) {
      const delay = retryDelayMs(group.retries, attempt, drawOf(seed, node, attempt, 3));
      this.#retries.push(this.#now + delay, node);
      return;
    }
    this.#finish(node, stateCode.failed);
    if (!group.allowFailure && this.#plan.onFailure === 'stop') this.#isStopped = true;
  }

  #retry(): void {
    this.#now = this.#retries.time;
    const node = this.#retries.pop();
    if (this.#isStopped) return;
    this.#times.ready[node] = this.#now;
    this.#lineOf[this.#nodeGroups[node] ?? 0]?.push(node, this.#groupOf(node).priority);
  }

  #finish(node: number, code: number): void {
    this.#states[node] = code;
    this.#times.end[node] = this.#now;
    this.#visits.push(node);
  }

  #visitAll(): void {
    for (let node = this.#visits.pop(); node !== undefined; node = this.#visits.pop()) {
      if (this.#isStopped) continue;
      const code = this.#states[node] ?? 0;
      const to = this.#childOffsets[node + 1] ?? 0;
      for (let index = this.#childOffsets[node] ?? 0; index < to; index++) {
        this.#tell(this.#children[index] ?? 0, code, node);
      }
    }
  }

  /** Tells a child of the end of one of its parents. */
  #tell(edge: number, code: number, parent: number): void {
    const child = edgeId(edge);
    const condition = edgeCondition(edge);
    const before = this.#words[child] ?? 0;
    const word = ((before | (edgeFlags(condition, code) << 24)) >>> 0) - 1;
    this.#words[child] = word;
    const rule = condition >>> 2;
    if (verdictOf(rule, before) !== null) return;
    const verdict = verdictOf(rule, word);
    if (verdict === null) return;
    if (verdict === stateCode.succeeded) this.#release(child, parent);
    else this.#finish(child, verdict);
  }

  #describe(): Simulation {
    return {
      makespanMs: this.#now,
      ...tallyEnds(this.#states, (node) => this.#groupOf(node)),
      attempts: this.#made,
      pools: [...this.#lines.values()].map((line) => line.describe(this.#now)),
      path:
        this.#made === 0
          ? []
          : tracePath({
              last: this.#last,
              releaser: this.#releaser,
              none,
              times: this.#times,
              classOf: (node) => {
                const group = this.#groupOf(node);
                return group.kind === 'barrier' ? null : group.class;
              },
            }),
    };
  }
}
