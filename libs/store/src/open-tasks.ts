import type { OpenTaskState } from '@runnel/core';
import { finishInTurns } from '@runnel/core';
import { readDeliveries } from './deliveries.ts';
import { readStrings } from './doctor/read-structure.ts';
import { readLaterChildren } from './growth/later-edges.ts';
import { isClaimed, stateCode, toUint32 } from './packed.ts';
import { withDescendants } from './retry-closure.ts';
import type { OpenRunHandle } from './run-handle.ts';
import type { RedisClient } from './script.ts';

/** The tasks of a run that have not ended, as they were read. */
export interface OpenTasks {
  /** Null for one that has ended, or is being cancelled already. */
  stateOf(node: number): OpenTaskState | null;
  /** The nodes and all that hangs on them, ascending. */
  withDescendants(nodes: Iterable<number>): Promise<Uint32Array>;
}

/** Reads what tells where each task is: state bytes, words and open deliveries, in pages. */
export async function readOpenTasks(
  redis: RedisClient,
  run: OpenRunHandle,
  nodeCount: number,
): Promise<OpenTasks> {
  const { names } = run;
  const [states, words, deliveries] = await Promise.all([
    readStrings(redis, names.state, nodeCount),
    readStrings(redis, names.waiting, nodeCount * 4),
    readDeliveries(redis, run),
  ]);
  const placed = new Map<number, OpenTaskState>();
  for (const delivery of deliveries) {
    const state = isClaimed(delivery) ? 'running' : 'queued';
    for (const [place, id] of delivery.ids.entries()) {
      if (delivery.open[place]) placed.set(id, state);
    }
  }
  return {
    stateOf(node) {
      const code = states[node] ?? 0;
      if (code === stateCode.delayed) return 'delayed';
      if (code !== stateCode.none) return null;
      const word = words.readUInt32BE(node * 4);
      const isReady = ((word >>> 24) & 8) !== 0 || (word & 0xff_ff_ff) === 0;
      return placed.get(node) ?? (isReady ? 'ready' : 'waiting');
    },
    async withDescendants(nodes) {
      const childOffsets = toUint32(
        await readStrings(redis, names.childOffsets, nodeCount * 4 + 4),
      );
      const edges = childOffsets[nodeCount] ?? 0;
      const children = toUint32(await readStrings(redis, names.children, edges * 4));
      const later = await readLaterChildren(redis, run);
      const descent = { childOffsets, children, later, states };
      return await finishInTurns(withDescendants(nodes, nodeCount, descent));
    },
  };
}
