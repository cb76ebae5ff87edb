import { type Plan, payloadChunk, type TaskPayload, taskId } from '@runnel/core';
import {
  encodeGroups,
  encodePayloads,
  groupChunk,
  type SpecRecord,
  type StoredGroup,
} from './chunks.ts';
import type { RunKey } from './keys.ts';
import { nameHash } from './names.ts';
import { bytesOf } from './packed.ts';
import { buildChildren } from './structure.ts';

/** How a group travels: its queue, and how many of its tasks fit one delivery. */
export interface GroupRoute {
  readonly queue: string;
  readonly maxBatch: number;
  /** True where the tasks of one delivery run side by side, so that none waits behind another. */
  readonly isSideBySide: boolean;
  /** What a task takes at a guess, until one has been measured. */
  readonly expectedMs?: number | undefined;
}

/** A string of a run, or one field of a hash, as it is stored. */
export interface RunPart {
  readonly key: RunKey;
  /** Null: all of a string. */
  readonly field: number | string | null;
  readonly bytes: Buffer;
}

/** What the parts of a run are made of. */
export interface PartSource {
  readonly plan: Plan;
  readonly spec: SpecRecord;
  /** By group. */
  readonly routes: readonly GroupRoute[];
  readonly queues: readonly string[];
}

type Parts = Generator<RunPart | undefined, void, undefined>;

/** Everything that is stored of a run but its record, part by part; undefined is a turn for others. */
export function* listParts(source: PartSource): Parts {
  yield* listStructure(source);
  yield* listGroups(source.plan);
  yield* listPayloads(source.plan);
  yield stringPart('spec', source.spec.deflated);
}

function* listStructure({ plan, routes, queues }: PartSource): Parts {
  const { waiting, childOffsets, children } = yield* buildChildren(plan);
  yield stringPart('state', Buffer.alloc(plan.nodeCount));
  yield stringPart('waiting', waiting);
  yield stringPart('parentOffsets', bytesOf(plan.parentOffsets));
  yield stringPart('parents', bytesOf(plan.parents));
  yield stringPart('childOffsets', bytesOf(childOffsets));
  yield stringPart('children', bytesOf(children));
  yield stringPart('groupRanges', bytesOf(plan.groupRanges));
  yield stringPart('groupIndex', encodeGroupIndex(plan, routes, queues));
  for (const [group, { expectedMs }] of routes.entries()) {
    if (expectedMs === undefined) continue;
    const micros = Math.max(1, Math.round(expectedMs * 1_000));
    yield { key: 'counts', field: `${group}:e`, bytes: Buffer.from(String(micros)) };
  }
}

function stringPart(key: RunKey, bytes: Buffer): RunPart {
  return { key, field: null, bytes };
}

/** What scripts know of groups: 8 bytes each. */
export function encodeGroupIndex(
  plan: Pick<Plan, 'groups'>,
  routes: readonly (GroupRoute | undefined)[],
  queues: readonly string[],
): Buffer {
  const classes = new Map<string, number>();
  const index = Buffer.alloc(plan.groups.length * 8);
  plan.groups.forEach((group, number) => {
    const known = classes.get(group.class) ?? classes.size;
    classes.set(group.class, known);
    const route = routes[number];
    const isBarrier = group.kind === 'barrier';
    index.writeUInt32LE(known, number * 8);
    index.writeUInt8(Math.max(0, queues.indexOf(route?.queue ?? '')), number * 8 + 4);
    const flags = [isBarrier, group.allowFailure, route?.isSideBySide === true];
    index.writeUInt8(packFlags(flags), number * 8 + 5);
    index.writeUInt16LE(route?.maxBatch ?? 1, number * 8 + 6);
  });
  return index;
}

/** The first flag is the lowest bit. */
function packFlags(flags: readonly boolean[]): number {
  return flags.reduce((bits, flag, index) => bits | (flag ? 1 << index : 0), 0);
}

function* listGroups(plan: Plan): Parts {
  const totals = groupTotals(plan);
  for (let from = 0; from < plan.groups.length; from += groupChunk) {
    const stored: StoredGroup[] = plan.groups
      .slice(from, from + groupChunk)
      .map((group, index) => ({ ...group, total: totals[from + index] ?? 0 }));
    yield { key: 'groups', field: from / groupChunk, bytes: encodeGroups(stored) };
  }
}

/** Nodes by group. */
export function groupTotals(
  plan: Pick<Plan, 'groups' | 'groupRanges' | 'nodeCount'>,
): Float64Array {
  const totals = new Float64Array(plan.groups.length);
  const ranges = plan.groupRanges;
  for (let index = 0; index < ranges.length; index += 2) {
    const stop = ranges[index + 2] ?? plan.nodeCount;
    const group = ranges[index + 1] ?? 0;
    totals[group] = (totals[group] ?? 0) + stop - (ranges[index] ?? 0);
  }
  return totals;
}

/** Payload chunks, and the hash of each id, in one pass over the tasks. */
function* listPayloads(plan: Plan): Parts {
  const names = new Uint16Array(plan.nodeCount);
  const groupAt = groupWalker(plan);
  let chunk: TaskPayload[] = [];
  let node = 0;
  const close = (): RunPart | undefined => {
    const number = Math.floor((node - 1) / payloadChunk);
    const bytes = plan.texts === null ? encodePayloads(chunk) : (plan.texts[number] ?? null);
    chunk = [];
    return bytes === null ? undefined : { key: 'payload', field: number, bytes };
  };
  for (const payload of plan.payloads()) {
    names[node] = nameHash(taskId(groupAt(node), payload));
    if (plan.texts === null) chunk.push(payload);
    node++;
    if (node % payloadChunk === 0) yield close();
  }
  if (node !== plan.nodeCount) throw new Error(`${node} payloads for ${plan.nodeCount} nodes`);
  if (node % payloadChunk !== 0) yield close();
  yield stringPart('names', bytesOf(names));
}

/** The group of ascending nodes. */
export function groupWalker(
  plan: Pick<Plan, 'groups' | 'groupRanges' | 'nodeCount'>,
): (node: number) => Plan['groups'][number] {
  let range = 0;
  return (node) => {
    while ((plan.groupRanges[range + 2] ?? plan.nodeCount) <= node) range += 2;
    const group = plan.groups[plan.groupRanges[range + 1] ?? 0];
    if (group === undefined) throw new Error(`node ${node} has no group`);
    return group;
  };
}
