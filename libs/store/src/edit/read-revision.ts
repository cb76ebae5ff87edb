import { payloadChunk, type TaskPayload } from '@runnel/core';
import { decodePayloads, type StoredGroup } from '../chunks.ts';
import { readStrings } from '../doctor/read-structure.ts';
import { toUint32 } from '../packed.ts';
import type { RunInfo } from '../run-info.ts';
import type { RedisClient } from '../script.ts';

/** What a run is made of, as it is compared with a new spec. */
export interface RunStructure {
  readonly nodeCount: number;
  readonly groups: readonly StoredGroup[];
  readonly groupRanges: Uint32Array;
  readonly parentOffsets: Uint32Array;
  readonly parents: Uint32Array;
}

/** Chunks of payloads that one trip reads: some hundred KB. */
const chunksPerTrip = 16;

/** The structure of a run, read in pages. */
export async function readStructure(redis: RedisClient, info: RunInfo): Promise<RunStructure> {
  const { nodeCount, handle } = info.facts;
  const { names } = handle;
  const [groups, groupRanges] = await Promise.all([info.groups(), info.ranges()]);
  const offsets = await readStrings(redis, names.parentOffsets, nodeCount * 4 + 4);
  const parentOffsets = toUint32(offsets);
  const edges = parentOffsets[nodeCount] ?? 0;
  const parents = toUint32(await readStrings(redis, names.parents, edges * 4));
  return { nodeCount, groups, groupRanges, parentOffsets, parents };
}

/** The payloads of all nodes in the order of their numbers, some thousand at once. */
export async function* readPayloads(
  redis: RedisClient,
  info: RunInfo,
): AsyncGenerator<readonly TaskPayload[]> {
  const { nodeCount, handle } = info.facts;
  const chunks = Math.ceil(nodeCount / payloadChunk);
  for (let from = 0; from < chunks; from += chunksPerTrip) {
    const to = Math.min(chunks, from + chunksPerTrip);
    const fields = Array.from({ length: to - from }, (_, index) => String(from + index));
    const raw = await redis.hmgetBuffer(handle.names.payload, ...fields);
    yield raw.flatMap((bytes, index) => {
      const first = (from + index) * payloadChunk;
      const rows = decodePayloads(bytes);
      const count = Math.min(payloadChunk, nodeCount - first);
      return Array.from({ length: count }, (_, place) => rows[place] ?? { values: [] });
    });
  }
}

/** The payloads of a plan; texts of tasks that came one by one are read. */
export function* planPayloads(plan: {
  readonly nodeCount: number;
  readonly texts: readonly Buffer[] | null;
  payloads(): Iterable<TaskPayload>;
}): Generator<TaskPayload> {
  if (plan.texts === null) {
    yield* plan.payloads();
    return;
  }
  let count = 0;
  for (const chunk of plan.texts) {
    for (const payload of decodePayloads(chunk)) {
      count++;
      yield payload;
    }
  }
  for (; count < plan.nodeCount; count++) yield { values: [] };
}

/** The state byte of each node, read in pages. */
export async function readStateBytes(redis: RedisClient, info: RunInfo): Promise<Uint8Array> {
  const { nodeCount, handle } = info.facts;
  return await readStrings(redis, handle.names.state, nodeCount);
}
