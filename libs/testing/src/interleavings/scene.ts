import { runIdOfKey } from '@runnel/engine';
import { runHandle, shardOf } from '@runnel/store';
import type { GrowingGraph } from '../growing-graph.ts';
import type { Graph } from '../random-graph.ts';

/** What a case is, besides the order of its steps. */
export interface Scene {
  readonly graph: Graph;
  readonly maxBatch: number;
  readonly window: number;
  readonly slots: number;
  readonly parallelism: number | null;
  readonly stopsOnFailure: boolean;
  readonly isCancelled: boolean;
  /** Workers settle nothing themselves: their outcomes go over the stream. */
  readonly reportsOnly: boolean;
  /** The task that takes every worker down which runs it; a node of the graph, null for none. */
  readonly poison: number | null;
  /** After this operation of the api a minute passes, and the janitors come; null: they do not. */
  readonly slowSubmission: number | null;
  /** What a user does with the run while it goes on, in this order, each at some moment. */
  readonly changes: readonly ChangeKind[];
  /** Choices from which each edit makes its revision of the one before. */
  readonly edits: readonly number[];
  /** In place of the graph: one whose generators have graphs of their own; null: no task generates. */
  readonly growing: GrowingGraph | null;
  /** A set takes several pages. */
  readonly isLargeSet: boolean;
}

/** A pause lasts until the user lets go on what is paused. A class is that of the first task. */
export type ChangeKind = 'pause' | 'pause-class' | 'cancel-class' | 'retry' | 'edit';

export const client = { client: 'c', key: 'k' };
export const runId = runIdOfKey(client.client, client.key);
export const shard = shardOf(runId);
export const namespace = 'x';
export const names = runHandle(namespace, runId).names;

/** Some tasks hand something on: which attempt it was that counted. */
export function hasOutput(id: number): boolean {
  return id % 3 === 0;
}
