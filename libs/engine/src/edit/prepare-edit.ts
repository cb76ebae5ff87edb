import {
  finishInTurns,
  LimitError,
  maxNodes,
  type Plan,
  RevisionChangedError,
  type Steps,
  sortWithoutCycles,
} from '@runnel/core';
import {
  buildChildren,
  planPayloads,
  type RedisClient,
  RunInfo,
  readGenerated,
  readLaterParents,
  readPayloads,
  readRunFacts,
  readStructure,
} from '@runnel/store';
import { type ChosenSets, chooseSets } from './choose-sets.ts';
import { changes, findChanges } from './find-changes.ts';
import { type JoinedSets, joinSets } from './join-sets.ts';
import { findSets, type LiveSet, type OldRevision } from './live-sets.ts';
import { type Matching, matchNodes, type Numbering, numberNodes } from './match-nodes.ts';
import { type NodeFacts, NodeReader, type RunNames } from './node-facts.ts';
import { type Renumbered, renumber } from './renumber.ts';

/** A new revision beside the old one: everything that does not depend on what tasks have come to. */
export interface Comparison {
  readonly plan: Plan;
  readonly old: NodeFacts;
  readonly fresh: NodeFacts;
  readonly numbering: Numbering;
  readonly structure: Renumbered;
  readonly joined: JoinedSets;
  /** Generated sets that go on with their generators. */
  readonly sets: JoinedSets['sets'];
  readonly children: { readonly childOffsets: Uint32Array; readonly children: Uint32Array };
  /** By number, of findChanges. */
  readonly changes: Uint8Array;
  /** Numbers, parents first. */
  readonly order: Uint32Array;
}

/** The same of a run. */
export interface PreparedEdit extends Comparison {
  readonly info: RunInfo;
  /** Of the new revision. */
  readonly source: string | null;
}

/** Compares a run with a new plan and gives its nodes their numbers; others have their turns meanwhile. */
export async function prepareEdit(
  redis: RedisClient,
  info: RunInfo,
  { plan, source }: { readonly plan: Plan; readonly source: string | null },
): Promise<PreparedEdit> {
  const before = await readOld(redis, info);
  const comparing = compareRevisions(before.old, { plan, source });
  return { ...(await finishInTurns(comparing)), info: before.info, source };
}

/** A generated set that joins while it is read has it read again. */
async function readOld(
  redis: RedisClient,
  info: RunInfo,
): Promise<{ readonly info: RunInfo; readonly old: OldRevision }> {
  const { handle, shape, revision } = info.facts;
  const edges = await readStructure(redis, info);
  const facts = new NodeReader(edges, info.facts);
  for await (const payloads of readPayloads(redis, info)) {
    for (const payload of payloads) facts.add(payload);
  }
  const [generated, gathers] = await Promise.all([
    readGenerated(redis, handle),
    readLaterParents(redis, handle),
  ]);
  const now = await readRunFacts(redis, handle.namespace, handle.id);
  if (now.revision !== revision) throw changedMeanwhile(handle.id);
  if (now.shape !== shape) return await readOld(redis, new RunInfo(redis, now));
  return { info, old: findSets(facts, edges, { generated, gathers }) };
}

export function changedMeanwhile(id: string): Error {
  return new RevisionChangedError(
    `run ${id} was changed meanwhile: read the spec again and make your change to it`,
  );
}

/** Compares the nodes of a run, however they were read, with those of a plan. */
export function* compareRevisions(
  old: OldRevision,
  { plan, source }: { readonly plan: Plan; readonly source: string | null },
): Steps<Comparison> {
  const fresh = yield* readPlan(plan, { name: plan.name, source });
  const matching = matchNodes(old.facts, fresh, old.sets.setOf);
  yield;
  const revision = yield* putTogether(old, { plan, fresh, matching });
  const { numbering, structure, joined, chosen } = revision;
  const found = yield* findChanges(old, fresh, { numbering, structure });
  for (const generator of chosen.bereft) found[generator] ||= changes.parents;
  const { children, order } = revision;
  const { sets } = joined;
  return {
    plan,
    fresh,
    numbering,
    structure,
    joined,
    sets,
    children,
    order,
    ...{ old: old.facts, changes: found },
  };
}

interface NewRevision
  extends Pick<Comparison, 'numbering' | 'structure' | 'joined' | 'children' | 'order'> {
  readonly chosen: ChosenSets;
}

/**
 * Under a new spec tasks that generated ones wait for may wait for the generator: such sets do not go on. Their
 * generators run again, and fail if they generate the same.
 */
function* putTogether(
  old: OldRevision,
  source: { readonly plan: Plan; readonly fresh: NodeFacts; readonly matching: Matching },
): Steps<NewRevision> {
  const { plan, fresh, matching } = source;
  const unwanted = new Set<LiveSet>();
  for (;;) {
    const chosen = chooseSets(old, fresh, { matching, unwanted });
    const { sets, isCarried } = chosen;
    const numbering = numberNodes(old.facts, fresh, { matching, isCarried });
    const joined = yield* joinSets(old, { plan, fresh }, { numbering, sets });
    requireRoom(joined.nodeCount);
    const structure = yield* renumber({ old, plan, fresh, numbering, joined });
    const { childOffsets, children } = yield* buildChildren(structure);
    const order = yield* sortWithoutCycles(structure, { childOffsets, children });
    const lists = { childOffsets, children };
    const revision = { chosen, numbering, joined, structure, children: lists, order };
    if (order.length === structure.nodeCount) return revision;
    const isSorted = new Uint8Array(structure.nodeCount);
    for (const node of order) isSorted[node] = 1;
    const inCycles = sets.filter(({ outer }) => outer.some((parent) => isSorted[parent] === 0));
    if (inCycles.length === 0) throw new Error('tasks of the new spec wait for each other');
    for (const set of inCycles) unwanted.add(set);
  }
}

/** Numbers are never given again to tasks, so a run that is edited often may run out of them. */
function requireRoom(nodeCount: number): void {
  if (nodeCount <= maxNodes) return;
  throw new LimitError(
    `with the numbers of its earlier tasks the run would have ${nodeCount} tasks and barriers, over the limit of ${maxNodes}: submit the new spec as a run of its own`,
  );
}

const tasksPerStep = 1_024;

/** What an edit compares of the nodes of a plan. */
export function* readPlan(plan: Plan, names: RunNames): Steps<NodeReader> {
  const reader = new NodeReader(plan, names);
  let count = 0;
  for (const payload of planPayloads(plan)) {
    reader.add(payload);
    if (++count % tasksPerStep === 0) yield;
  }
  return reader;
}
