import {
  describeIssue,
  edgeCondition,
  finishInTurns,
  type GeneratorDialect,
  type Issue,
  LimitError,
  maxNodes,
  packEdge,
  SpecError,
} from '@runnel/core';
import {
  type ExpandOptions,
  type GeneratedSet,
  maxGeneratedBytes,
  parseGenerated,
  validateGenerated,
} from '@runnel/spec';
import {
  type NewSet,
  type RedisClient,
  type Reuse,
  type RunInfo,
  readChildrenOf,
  type SetPlan,
} from '@runnel/store';
import { composeSet, type EndOfGenerator } from './compose-set.ts';
import { readDaggyrSet } from './daggyr-set.ts';
import { findOuter } from './find-outer.ts';
import { findReused } from './find-reused.ts';

/** A generator's output on its way into the run. */
export interface SetRequest {
  readonly redis: RedisClient;
  readonly info: RunInfo;
  readonly generator: { readonly number: number; readonly id: string };
  readonly set: GeneratedSet;
  readonly options: Omit<ExpandOptions, 'source' | 'locate'>;
}

/**
 * Reads what a generator gave.
 *
 * @throws SpecError, LimitError where it can't be read.
 */
export function readSet(dialect: GeneratorDialect, text: string): GeneratedSet {
  const bytes = Buffer.byteLength(text);
  if (bytes > maxGeneratedBytes) throw new LimitError(describeTooLarge(bytes));
  return dialect === 'daggyr' ? readDaggyrSet(text) : parseGenerated(text);
}

export function describeTooLarge(bytes: number): string {
  return `the generated tasks have ${bytes} bytes, over the limit of ${maxGeneratedBytes}: let several generators generate a part each`;
}

/**
 * Expands and checks a set as a whole, in turns, and puts it together as a part of its run.
 *
 * @throws SpecError with every issue, LimitError.
 */
export async function makeSet(request: SetRequest): Promise<MadeSet> {
  const { redis, info, generator } = request;
  const { plan, refs, issues } = await expand(request);
  const found = await findOuter(redis, info, generator.number, refs);
  const all = [...issues, ...found.issues.map((issue) => locateIssue(issue, request.set))];
  if (plan === null || all.length > 0) throw new SpecError(all);
  const set = await finishInTurns(
    composeSet({
      plan,
      scope: `${generator.id}.`,
      ends: await readEnds(redis, info, generator.number),
      outer: found.outer,
    }),
  );
  if (set === null) {
    throw new LimitError(`the generated tasks and their barriers are more than ${maxNodes} nodes`);
  }
  return { set, reuse: await findReused({ ...request, plan, outer: found.outer }) };
}

/** A set, and what of the one before it stays. */
export interface MadeSet {
  readonly set: NewSet;
  readonly reuse: Reuse | null;
}

interface Expanded {
  readonly plan: SetPlan | null;
  readonly refs: Parameters<typeof findOuter>[3];
  readonly issues: readonly Issue[];
}

async function expand({ info, set, options }: SetRequest): Promise<Expanded> {
  if (set.isEmpty) return { plan: emptyPlan, refs: [], issues: [] };
  const { name, source } = info.facts;
  const value = name === null ? set.value : { ...set.value, name };
  const steps = validateGenerated(value, { ...options, source, locate: set.locate });
  const { plan, outer, issues } = await finishInTurns(steps);
  return { plan, refs: outer, issues };
}

const emptyPlan: SetPlan = {
  nodeCount: 0,
  barrierCount: 0,
  groups: [],
  groupRanges: new Uint32Array(),
  parentOffsets: new Uint32Array(1),
  parents: new Uint32Array(),
  payloads: () => [],
};

function locateIssue(issue: Issue, { locate }: GeneratedSet): Issue {
  const place = locate(issue.path);
  return place === undefined ? issue : { ...issue, ...place };
}

/** The children of a generator are its end barriers, and these alone. */
async function readEnds(
  redis: RedisClient,
  info: RunInfo,
  generator: number,
): Promise<readonly EndOfGenerator[]> {
  const children = await readChildrenOf(redis, info, generator);
  return [...children].map((child) => {
    const edge = packEdge(generator, 'succeeded', 'all');
    return { node: child & 0xff_ff_ff, edge: ((edgeCondition(child) << 24) | edge) >>> 0 };
  });
}

/** One line for each thing that is wrong, the most important first. */
export function describeBadSet(error: SpecError | LimitError): string {
  if (error instanceof LimitError) return error.message;
  const count = error.issues.length;
  const head = `the generated tasks are wrong (${count} ${count === 1 ? 'issue' : 'issues'})`;
  return [head, ...error.issues.map(describeIssue)].join('\n');
}
