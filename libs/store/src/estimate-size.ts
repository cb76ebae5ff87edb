import { type Plan, payloadChunk, type TaskPayload } from '@runnel/core';
import { encodePayloads } from './chunks.ts';

/**
 * Of state, counter, offsets of parents and of children, name and, at the end, the attempt's record and
 * the task's part of the feed.
 */
const bytesOfNode = 1 + 4 + 4 + 4 + 2 + 12 + 6;
/** Each edge stands at its parent and at its child. */
const bytesOfEdge = 4 + 4;
/** Its record, its place in the index and its counters. */
const bytesOfGroup = 400;
/** Keys, meta data, lists. */
const bytesOfRun = 4_096;
/** Chunks that are compressed to learn what the others take: some milliseconds. */
const samples = 16;

/** A plan, or a set of generated tasks. */
type SizedPlan = Pick<Plan, 'nodeCount' | 'parents' | 'groups' | 'payloads'> & {
  readonly texts?: Plan['texts'];
};

/**
 * About what a run takes in Redis when it has ended and its tasks wrote nothing; outputs and logs come
 * on top.
 */
export function estimateBytes(plan: SizedPlan, specBytes: number): number {
  const structure = plan.nodeCount * bytesOfNode + plan.parents.length * bytesOfEdge;
  const groups = plan.groups.length * bytesOfGroup;
  return Math.ceil(bytesOfRun + structure + groups + specBytes + payloadBytes(plan));
}

function payloadBytes(plan: SizedPlan): number {
  if (plan.texts != null) return plan.texts.reduce((sum, { length }) => sum + length, 0);
  let bytes = 0;
  let seen = 0;
  let chunk: TaskPayload[] = [];
  for (const payload of plan.payloads()) {
    chunk.push(payload);
    if (chunk.length < Math.min(payloadChunk, plan.nodeCount - seen)) continue;
    bytes += encodePayloads(chunk)?.length ?? 0;
    seen += chunk.length;
    chunk = [];
    if (seen >= samples * payloadChunk) break;
  }
  return seen === 0 ? 0 : (bytes / seen) * plan.nodeCount;
}
