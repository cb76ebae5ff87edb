import type { AttemptResult, SecretSource } from '@runnel/core';
import type { Delivery, Fence, OpenRunHandle, RedisClient, RunInfoCache } from '@runnel/store';
import type { ExecutorPool } from './executors.ts';
import type { GeneratorTools } from './generate/join-run.ts';
import type { Pace } from './pace.ts';
import type { SlotTurns } from './slot-turns.ts';

/** What a worker process keeps for all its deliveries. */
export interface WorkerContext {
  readonly redis: RedisClient;
  readonly namespace: string;
  readonly infos: RunInfoCache;
  readonly executors: ExecutorPool;
  readonly secrets: SecretSource;
  readonly turns: SlotTurns;
  readonly fence: Fence;
  readonly generators: GeneratorTools;
  readonly pace: Pace;
  /** Ends of deliveries that are being settled beside their slots' next ones; at most `slots`. */
  readonly settling: Set<Promise<void>>;
  readonly slots: number;
  readonly worker: { readonly name: string; readonly number: number };
  readonly maxDeaths: number;
  readonly logTailBytes: number;
  readonly logRunBytes: number;
  now(): number;
  onError(error: Error): void;
}

/** A start of a delivery, with the signals that may end it; each reason is an AttemptAbort. */
export interface DeliveryStart {
  readonly runId: string;
  readonly carrier: number;
  readonly attemptsStarted: number;
  /** True where the run was cancelled or paused a moment ago: what was reserved before asks first. */
  readonly mustClaim: boolean;
  readonly lease: AbortSignal;
  readonly cancel: AbortSignal;
  readonly shutdown: AbortSignal;
  /** Has single tasks of it ended when they are cancelled. */
  watchTasks?(watcher: TaskWatcher): void;
  /** Told of what was claimed, so that it can be looked after whether it is wanted still. */
  onClaimed?(claimed: WatchedDelivery): void;
}

/** A delivery that a worker has, and the shape of its run when it got it. */
export interface WatchedDelivery extends Pick<Delivery, 'carrier' | 'token'> {
  readonly shape: number;
  readonly run: OpenRunHandle;
}

/** Tasks that a worker has, and how it ends some of them. */
export interface TaskWatcher {
  ids(): readonly number[];
  cancel(ids: readonly number[]): void;
}

/** What became of a delivery, for people: completion never depends on it. */
export type DeliveryEnd =
  | { readonly kind: 'refused'; readonly why: string }
  | {
      readonly kind: 'done';
      readonly counts: Readonly<Record<string, number>>;
      /** Of a delivery of one task. */
      readonly only?: { readonly result: AttemptResult; readonly logTail: string };
    };
