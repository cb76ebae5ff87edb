import {
  ConflictError,
  finishInTurns,
  type Group,
  type Plan,
  type Steps,
  sortByParents,
} from '@runnel/core';
import {
  buildChildren,
  planPayloads,
  type RedisClient,
  type RunInfo,
  readPayloads,
  readStructure,
} from '@runnel/store';
import { findChanges } from './find-changes.ts';
import { matchNodes, type Numbering } from './match-nodes.ts';
import { type NodeFacts, NodeReader, type RunNames } from './node-facts.ts';
import { type Edges, type Renumbered, renumber } from './renumber.ts';

/** A new revision beside the old one: everything that does not depend on what tasks have come to. */
export interface Comparison {
  readonly plan: Plan;
  readonly old: NodeFacts;
  readonly fresh: NodeFacts;
  readonly numbering: Numbering;
  readonly structure: Renumbered;
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
  const edges = await readStructure(redis, info);
  requireNoGenerators(info.facts.handle.id, [...edges.groups, ...plan.groups]);
  const facts = new NodeReader(edges, info.facts);
  for await (const payloads of readPayloads(redis, info)) {
    for (const payload of payloads) facts.add(payload);
  }
  const comparing = compareRevisions({ facts, edges }, { plan, source });
  return { ...(await finishInTurns(comparing)), info, source };
}

/** Sets that were generated would have to be carried over as they are: that is not done yet. */
function requireNoGenerators(id: string, groups: readonly Group[]): void {
  const generator = groups.find((group) => group.generator !== undefined);
  if (generator === undefined) return;
  throw new ConflictError(
    `run ${id} can't be edited: ${generator.class} generates tasks; submit the new spec as a run of its own`,
  );
}

/** Compares the nodes of a run, however they were read, with those of a plan. */
export function* compareRevisions(
  before: { readonly facts: NodeFacts; readonly edges: Edges },
  { plan, source }: { readonly plan: Plan; readonly source: string | null },
): Steps<Comparison> {
  const old = before.facts;
  const fresh = yield* readPlan(plan, { name: plan.name, source });
  const numbering = matchNodes(old, fresh);
  yield;
  const structure = yield* renumber(old, plan, { fresh, numbering });
  const changes = yield* findChanges(before, fresh, { numbering, structure });
  const { childOffsets, children } = yield* buildChildren(structure);
  const order = yield* sortByParents(structure, { childOffsets, children });
  const lists = { childOffsets, children };
  return { plan, old, fresh, numbering, structure, children: lists, changes, order };
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
