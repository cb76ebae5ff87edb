import { edgeId, edgeRuleOf, finishInTurns, packEdge, type Steps } from '@runnel/core';
import { edgeOf } from '@runnel/spec';
import {
  type GeneratedRecord,
  type RedisClient,
  type Reuse,
  type RunInfo,
  readGeneratedBy,
  readStoredSet,
  type SetPlan,
  type StoredSet,
  stateCode,
  withNode,
} from '@runnel/store';
import { fateCode, tellFates } from '../edit/fates.ts';
import { withoutSets } from '../edit/live-sets.ts';
import { compareRevisions, readPlan } from '../edit/prepare-edit.ts';
import { conditionOf, type OuterParents } from './compose-set.ts';
import { type SetParts, toPlan } from './set-view.ts';

/** What a generator gave, and what it is compared with. */
export interface ReuseRequest {
  readonly redis: RedisClient;
  readonly info: RunInfo;
  readonly generator: { readonly number: number; readonly id: string };
  /** Without barriers around it. */
  readonly plan: SetPlan;
  readonly outer: readonly OuterParents[];
}

/**
 * Finds the tasks of a new set that are what they were in the set that it replaces, as an edit would: the
 * same by themselves, with the same parents, none of which runs again; and which have succeeded. Tasks that
 * generate run again, since what they generated goes with the old set. Null where there is nothing to reuse.
 */
export async function findReused(request: ReuseRequest): Promise<Reuse | null> {
  const { redis, info, generator, plan } = request;
  const { handle } = info.facts;
  const record = await readGeneratedBy(redis, handle, generator.number);
  if (record === null || plan.nodeCount === 0) return null;
  // Read before the states: the set is shown only if no other retry has begun since.
  const [token, phase] = await redis.hmget(handle.names.meta, 'retryToken', 'retry');
  const stored = await readStoredSet(redis, info, record, hasResult);
  if (stored === null) return null;
  const scope = `${generator.id}.`;
  const before = await partsOfStored(info, { record, stored, scope });
  const origins = await finishInTurns(findOrigins(info, before, { request, record, stored }));
  // While tasks are brought back, states tell nothing for certain: a token that is never right.
  return { origins, retryToken: Number(phase ?? 0) > 0 ? 'retrying' : (token ?? '') };
}

function hasResult(state: number): boolean {
  return state === stateCode.succeeded || state === stateCode.reused;
}

function* findOrigins(
  info: RunInfo,
  before: SetParts,
  {
    request,
    record,
    stored,
  }: {
    readonly request: ReuseRequest;
    readonly record: GeneratedRecord;
    readonly stored: StoredSet;
  },
): Steps<Uint32Array> {
  const { source } = info.facts;
  const old = toPlan(before);
  const facts = yield* readPlan(old, { name: old.name, source });
  const fresh = toPlan(partsOfNew(info, request));
  const comparison = yield* compareRevisions(withoutSets(facts, old), { plan: fresh, source });
  const { structure, numbering } = comparison;
  const states = new Uint8Array(structure.nodeCount).fill(stateCode.succeeded);
  for (const [node, state] of stored.states.entries()) {
    const isGenerator = facts.groups[facts.groupOf[node] ?? 0]?.generator !== undefined;
    states[node] = hasResult(state) && !isGenerator ? stateCode.succeeded : stateCode.failed;
    // With the same parents, which ended alike, it would be skipped once more.
    if (state === stateCode.skipped) states[node] = state;
  }
  const fates = yield* tellFates({ ...comparison, states });
  const origins = new Uint32Array(request.plan.nodeCount);
  for (const node of origins.keys()) {
    const number = numbering.numberOf[node] ?? 0;
    if (fates[number] === fateCode.reused && states[number] === stateCode.succeeded) {
      origins[node] = record.first + number + 1;
    }
  }
  return origins;
}

function partsOfNew(info: RunInfo, { plan, outer }: ReuseRequest): SetParts {
  const edges = new Map<number, number[]>();
  for (const [index, { runIf, spans }] of outer.entries()) {
    const edge = packEdge(index, 'succeeded', edgeRuleOf(runIf));
    for (const { first, count } of spans) {
      for (let node = first; node < first + count; node++) {
        const own = edges.get(node) ?? [];
        if (own.length === 0) edges.set(node, own);
        // Named twice by the same task.
        if (own.at(-1) !== edge) own.push(edge);
      }
    }
  }
  const { nodeCount, groups, groupRanges, parentOffsets, parents } = plan;
  return {
    ...{ name: info.facts.name, nodeCount, groups, groupRanges, payloads: () => plan.payloads() },
    parentsOf: (node) => parents.subarray(parentOffsets[node], parentOffsets[node + 1]),
    outerOf: (node) => edges.get(node) ?? [],
    outer: outer.map((one) => one.parents.map((parent) => edgeOf(one.runIf, one.on, parent))),
  };
}

/** The same of the set in the run, without the barriers that were put around it. */
async function partsOfStored(
  info: RunInfo,
  {
    record,
    stored,
    scope,
  }: { readonly record: GeneratedRecord; readonly stored: StoredSet; readonly scope: string },
): Promise<SetParts> {
  const { first, start, outers } = record;
  const groups = (await info.groups()).map(({ total: _, scope: _scope, ...group }) => ({
    ...group,
    class: withoutScope(group.class, scope),
  }));
  const behind = start + 1 + outers * 2;
  const inside = (edge: number): readonly number[] => {
    const parent = edgeId(edge);
    if (parent < start) return [withNode(edge, parent - first)];
    // The end barrier of a generator of the set stands for it.
    return parent < behind
      ? []
      : [...stored.parentsOf(parent)].map((own) => toGenerator(own, first));
  };
  const outside = (edge: number): readonly number[] => {
    const parent = edgeId(edge);
    const isOuter = parent > start && parent < behind;
    return isOuter ? [withNode(edge, (parent - start - 2) / 2)] : [];
  };
  return {
    ...{ name: info.facts.name, nodeCount: start - first, groups },
    groupRanges: clipRanges(await info.ranges(), first, start),
    payloads: () => namesWithoutScope(stored, scope),
    parentsOf: (node) => [...stored.parentsOf(first + node)].flatMap(inside),
    outerOf: (node) => [...stored.parentsOf(first + node)].flatMap(outside),
    outer: Array.from({ length: outers }, (_, index) => [
      ...stored.parentsOf(start + 1 + index * 2),
    ]),
  };
}

function toGenerator(edge: number, first: number): number {
  return ((conditionOf(edge) << 24) | (edgeId(edge) - first)) >>> 0;
}

function withoutScope(name: string, scope: string): string {
  return name.startsWith(scope) ? name.slice(scope.length) : name;
}

function* namesWithoutScope(
  { payloads }: StoredSet,
  scope: string,
): Generator<StoredSet['payloads'][number]> {
  for (const payload of payloads) {
    const { id } = payload;
    yield id === undefined ? payload : { ...payload, id: withoutScope(id, scope) };
  }
}

/** Pairs (first node, group) of a span, from its first node on. */
function clipRanges(ranges: Uint32Array, first: number, stop: number): Uint32Array {
  const pairs: number[] = [];
  for (let at = 0; at < ranges.length; at += 2) {
    const from = ranges[at] ?? 0;
    if (from >= stop || (ranges[at + 2] ?? stop) <= first) continue;
    pairs.push(Math.max(from, first) - first, ranges[at + 1] ?? 0);
  }
  return Uint32Array.from(pairs);
}
