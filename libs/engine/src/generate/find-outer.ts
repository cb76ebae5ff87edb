import { finishInTurns, type Issue, suggest } from '@runnel/core';
import type { OuterRef } from '@runnel/spec';
import {
  findSetOf,
  findTask,
  type GeneratedRecord,
  groupAt,
  isInSpans,
  type NodeSpan,
  type RedisClient,
  type RunInfo,
  readGenerated,
  readReplaced,
  readRetrySource,
  stateCode,
  withDescendants,
} from '@runnel/store';
import type { OuterParents } from './compose-set.ts';

/** Tasks of the run that one set may name as parents: the call that shows the set goes through them. */
export const mostOuterParents = 4_096;

/** What was found of the names that generated tasks leave to their run. */
export interface FoundOuter {
  readonly outer: readonly OuterParents[];
  readonly issues: readonly Issue[];
}

/**
 * Finds what generated tasks name of the run: first in the set that the generator itself belongs to, then
 * further out. What waits for the generator can't be waited for.
 */
export async function findOuter(
  redis: RedisClient,
  info: RunInfo,
  generator: number,
  refs: readonly OuterRef[],
): Promise<FoundOuter> {
  if (refs.length === 0) return { outer: [], issues: [] };
  const scopes = await findScopes(redis, info, generator);
  const { handle, nodeCount } = info.facts;
  const replaced = await readReplaced(redis, handle);
  const source = await readRetrySource(redis, handle, nodeCount);
  const below = new Set(await finishInTurns(withDescendants([generator], nodeCount, source)));
  const look = { redis, info, generator, scopes, below, replaced, states: source.states };
  const byKey = Map.groupBy(refs, ({ kind, name, runIf, on }) => [kind, name, runIf, on].join());
  const found: { readonly outer?: OuterParents; readonly issues: readonly Issue[] }[] = [];
  for (const same of byKey.values()) found.push(await findOne(look, same));
  const outer = found.flatMap((one) => (one.outer === undefined ? [] : [one.outer]));
  const issues = found.flatMap((one) => one.issues);
  const count = outer.reduce((sum, { parents }) => sum + parents.length, 0);
  return { outer, issues: [...issues, ...checkCount(count, refs)] };
}

function checkCount(count: number, refs: readonly OuterRef[]): readonly Issue[] {
  if (count <= mostOuterParents) return [];
  const message = `generated tasks name ${count} tasks of the run as parents, over the limit of ${mostOuterParents}: put a barrier (kind: barrier) behind them in the spec, and name that`;
  return [{ path: refs[0]?.path.slice(0, 3) ?? [], message }];
}

interface Look {
  readonly redis: RedisClient;
  readonly info: RunInfo;
  readonly generator: number;
  readonly scopes: readonly string[];
  /** The generator and all that waits for it. */
  readonly below: ReadonlySet<number>;
  /** Of sets that were generated anew; some of their tasks may go on. */
  readonly replaced: readonly NodeSpan[];
  readonly states: Uint8Array;
}

/** What stands before names in the sets that a generator is in, from the inmost to the run itself. */
async function findScopes(
  redis: RedisClient,
  info: RunInfo,
  generator: number,
): Promise<readonly string[]> {
  const ranges = await info.ranges();
  const sets = await readGenerated(redis, info.facts.handle);
  const scopes: string[] = [];
  for (let node: number | undefined = generator; node !== undefined; ) {
    const { scope } = await info.group(groupAt(ranges, node));
    if (scope !== undefined) scopes.push(scope);
    node = ownerOf(sets, findSetOf(sets, node));
  }
  return [...scopes, ''];
}

function ownerOf(
  sets: ReadonlyMap<number, GeneratedRecord>,
  wanted: GeneratedRecord | undefined,
): number | undefined {
  for (const [generator, set] of sets) if (set === wanted) return generator;
  return undefined;
}

async function findOne(
  look: Look,
  refs: readonly OuterRef[],
): Promise<{ readonly outer?: OuterParents; readonly issues: readonly Issue[] }> {
  const [ref] = refs;
  if (ref === undefined) return { issues: [] };
  const parents = await findNodes(look, ref);
  const problem = await describeProblem(look, ref, parents);
  if (problem !== null) return { issues: refs.map(({ path }) => ({ path, message: problem })) };
  const spans = refs.map(({ first, count }) => ({ first, count }));
  return { outer: { parents, on: ref.on, runIf: ref.runIf, spans }, issues: [] };
}

async function findNodes(look: Look, { kind, name }: OuterRef): Promise<readonly number[]> {
  for (const scope of look.scopes) {
    const nodes =
      kind === 'class'
        ? await findClass(look, `${scope}${name}`)
        : await findId(look, `${scope}${name}`);
    if (nodes.length > 0) return nodes;
  }
  return [];
}

async function findId({ redis, info }: Look, id: string): Promise<readonly number[]> {
  const node = await findTask(redis, info, id);
  return node === null ? [] : [node];
}

async function findClass(
  { info, replaced, states }: Look,
  name: string,
): Promise<readonly number[]> {
  const [ranges, groups] = await Promise.all([info.ranges(), info.groups()]);
  const nodes: number[] = [];
  for (let at = 0; at < ranges.length; at += 2) {
    if (groups[ranges[at + 1] ?? 0]?.class !== name) continue;
    const stop = ranges[at + 2] ?? info.facts.nodeCount;
    for (let node = ranges[at] ?? 0; node < stop; node++) {
      const isGone = states[node] === stateCode.retired || isInSpans(replaced, node);
      if (!isGone) nodes.push(node);
    }
  }
  return nodes;
}

/** Null where all is well. */
async function describeProblem(
  look: Look,
  { kind, name, describe }: OuterRef,
  parents: readonly number[],
): Promise<string | null> {
  const { info, below, generator } = look;
  if (parents.length === 0) {
    const known = (await info.groups()).map((group) => group.class);
    const hint = kind === 'class' ? suggest(name, known) : '';
    return `${describe()}, neither in the set nor in the run${hint}`;
  }
  const ranges = await info.ranges();
  const quoted = JSON.stringify(name);
  for (const parent of parents) {
    if (parent === generator) {
      return `${quoted} is the generator itself: all that it generates waits for it already`;
    }
    const group = await info.group(groupAt(ranges, parent));
    if (group.generator !== undefined) {
      return `${quoted} generates tasks itself: put a barrier (kind: barrier) behind it in the spec, and name that`;
    }
    if (below.has(parent)) {
      const id = (await info.task(parent)).id;
      return `${JSON.stringify(id)} waits for the generator, so nothing that it generates can wait for it: that would be a cycle`;
    }
  }
  return null;
}
