import { type Group, payloadChunk, type Steps, type TaskPayload, taskId } from '@runnel/core';
import { encodeGroups, encodePayloads, groupChunk } from '../chunks.ts';
import { nameHash } from '../names.ts';
import { bytesOf } from '../packed.ts';
import { encodeGroupIndex, type GroupRoute, type RunPart } from '../run-parts.ts';
import type { CarriedNodes } from './carried-nodes.ts';

/** A new revision under the numbers of the run. */
export interface EditedStructure {
  readonly nodeCount: number;
  readonly groups: readonly Group[];
  /** By number. */
  readonly groupOf: Uint32Array;
  readonly parentOffsets: Uint32Array;
  readonly parents: Uint32Array;
}

export interface EditParts {
  readonly structure: EditedStructure;
  readonly children: { readonly childOffsets: Uint32Array; readonly children: Uint32Array };
  /** Payloads of the new plan in its own order, and the number of each of its nodes. */
  readonly numberOf: Uint32Array;
  payloads(): Iterable<TaskPayload>;
  /** By group; of those that the run had before what is stored is kept. */
  readonly routes: readonly (GroupRoute | undefined)[];
  readonly queues: readonly string[];
  /** As it is stored. */
  readonly oldGroupIndex: Buffer;
  /** Nodes that are in no plan, and go on. */
  readonly carried: CarriedNodes;
}

type Parts = Generator<RunPart | undefined, void, undefined>;

/** What does not depend on what tasks have come to, part by part; undefined is a turn for others. */
export function* listEditParts(edit: EditParts): Parts {
  const { structure, children } = edit;
  yield whole('parentOffsets', bytesOf(structure.parentOffsets));
  yield whole('parents', bytesOf(structure.parents));
  yield whole('childOffsets', bytesOf(children.childOffsets));
  yield whole('children', bytesOf(children.children));
  yield whole('groupRanges', bytesOf(yield* listRanges(structure)));
  const index = encodeGroupIndex(structure, edit.routes, edit.queues);
  edit.oldGroupIndex.copy(index);
  yield whole('groupIndex', index);
  yield* listGroups(structure);
  yield* listPayloads(edit);
}

function whole(key: RunPart['key'], bytes: Buffer): RunPart {
  return { key, field: null, bytes };
}

const nodesPerStep = 65_536;

function* listRanges({ nodeCount, groupOf }: EditedStructure): Steps<Uint32Array> {
  const ranges: number[] = [];
  for (let number = 0; number < nodeCount; number++) {
    if (number % nodesPerStep === 0) yield;
    const group = groupOf[number] ?? 0;
    if (ranges.length === 0 || ranges.at(-1) !== group) ranges.push(number, group);
  }
  return Uint32Array.from(ranges);
}

function* listGroups({ groups, groupOf }: EditedStructure): Parts {
  const totals = new Float64Array(groups.length);
  for (const group of groupOf) totals[group] = (totals[group] ?? 0) + 1;
  for (let from = 0; from < groups.length; from += groupChunk) {
    const stored = groups
      .slice(from, from + groupChunk)
      .map((group, index) => ({ ...group, total: totals[from + index] ?? 0 }));
    yield { key: 'groups', field: from / groupChunk, bytes: encodeGroups(stored) };
  }
}

/** Chunks in which rows are still missing are few: most nodes stand in their old order. */
function* listPayloads({ structure, numberOf, payloads, carried }: EditParts): Parts {
  const { nodeCount, groups, groupOf } = structure;
  const names = new Uint16Array(nodeCount);
  names.set(carried.names);
  const chunks = new PayloadChunks(nodeCount, numberOf, carried.rows);
  let node = 0;
  for (const payload of payloads()) {
    const number = numberOf[node++] ?? 0;
    const group = groups[groupOf[number] ?? 0];
    if (group === undefined) throw new Error(`node ${number} has no group`);
    names[number] = nameHash(taskId(group, payload));
    yield chunks.put(number, payload);
  }
  if (node !== numberOf.length) throw new Error(`${node} payloads for ${numberOf.length} nodes`);
  for (const part of chunks.listOthers()) yield part;
  yield whole('names', bytesOf(names));
}

class PayloadChunks {
  readonly #nodeCount: number;
  readonly #missing: Uint16Array;
  readonly #open = new Map<number, TaskPayload[]>();
  readonly #carried: Map<number, ReadonlyMap<number, TaskPayload>>;

  constructor(nodeCount: number, numberOf: Uint32Array, carried: CarriedNodes['rows']) {
    this.#nodeCount = nodeCount;
    this.#carried = new Map(carried);
    this.#missing = new Uint16Array(Math.ceil(nodeCount / payloadChunk));
    for (const number of numberOf) {
      const chunk = Math.floor(number / payloadChunk);
      this.#missing[chunk] = (this.#missing[chunk] ?? 0) + 1;
    }
  }

  /** The chunk, where it is whole now and there is something to be kept of it. */
  put(number: number, payload: TaskPayload): RunPart | undefined {
    const chunk = Math.floor(number / payloadChunk);
    const rows = this.#open.get(chunk) ?? this.#begin(chunk);
    rows[number % payloadChunk] = payload;
    const left = (this.#missing[chunk] ?? 0) - 1;
    this.#missing[chunk] = left;
    if (left > 0) return undefined;
    this.#open.delete(chunk);
    return toPart(chunk, rows);
  }

  /** Chunks in which nothing of the plan is. */
  *listOthers(): Parts {
    for (const chunk of [...this.#carried.keys()]) yield toPart(chunk, this.#begin(chunk));
  }

  #begin(chunk: number): TaskPayload[] {
    const size = Math.min(payloadChunk, this.#nodeCount - chunk * payloadChunk);
    const rows = Array.from({ length: size }, (): TaskPayload => ({ values: [] }));
    for (const [place, row] of this.#carried.get(chunk) ?? []) rows[place] = row;
    this.#carried.delete(chunk);
    this.#open.set(chunk, rows);
    return rows;
  }
}

function toPart(chunk: number, rows: readonly TaskPayload[]): RunPart | undefined {
  const bytes = encodePayloads(rows);
  return bytes === null ? undefined : { key: 'payload', field: chunk, bytes };
}
