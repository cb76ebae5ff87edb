import type { Plan, TaskPayload } from '@runnel/core';
import { payloadBytes, type SpecRecord } from '@runnel/store';

/** Of state, counter, offsets of parents and children, name and, at the end, the attempt's record. */
const bytesOfNode = 1 + 4 + 4 + 4 + 2 + 12;
/** Each edge stands at its parent and at its child. */
const bytesOfEdge = 4 + 4;
/** Its record, its place in the index and its counters. */
const bytesOfGroup = 400;
/** Keys, meta data, lists. */
const bytesOfRun = 4_096;
/** Windows of tasks whose payloads are compressed to learn what the others take. */
const samples = 16;
const sampleTasks = 256;

/**
 * About what a run takes in Redis when it has ended and its tasks wrote nothing: outputs and logs come
 * on top. Measured runs took 0.9 to 1.1 times as much.
 */
export function estimateBytes(plan: Plan, spec: SpecRecord | null): number {
  const structure = plan.nodeCount * bytesOfNode + plan.parents.length * bytesOfEdge;
  const text = spec?.deflated.reduce((sum, piece) => sum + piece.length, 0) ?? 0;
  return Math.ceil(
    bytesOfRun + structure + plan.groups.length * bytesOfGroup + text + payloadsOf(plan),
  );
}

/** The first windows of tasks stand for all. */
function payloadsOf(plan: Plan): number {
  let bytes = 0;
  let seen = 0;
  let window: TaskPayload[] = [];
  const close = (): void => {
    bytes += payloadBytes(window);
    seen += window.length;
    window = [];
  };
  for (const payload of plan.payloads()) {
    window.push(payload);
    if (window.length < sampleTasks) continue;
    close();
    if (seen >= samples * sampleTasks) break;
  }
  if (window.length > 0) close();
  return seen === 0 ? 0 : (bytes / seen) * plan.nodeCount;
}
